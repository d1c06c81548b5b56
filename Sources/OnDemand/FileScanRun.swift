import Platform
import Quarantine
package import ScanClient
package import ScanProtocol

/// What `esets_scan` does with the files of its arguments. Several threads scan; what is said and cleaned happens in
/// the order of the files, in the thread of the caller. Everything it says goes through a `FileScanOutput`.
package struct FileScanRun {
    private let makeScanner: @Sendable () -> any ObjectScanner
    private let threads: Int
    private let task: ScanPool.Task
    private let cleaner: FileCleaner
    private let output: any FileScanOutput
    /// Asked before each file; true ends the run early.
    private let isInterrupted: () -> Bool
    package private(set) var totals = FileScanTotals()

    /// - Parameters:
    ///   - threads: how many files are scanned at once, from 1.
    ///   - options: what to scan with.
    ///   - cleaner: what becomes of infected files.
    ///   - restoresTime: whether files keep their time of last access.
    ///   - output: is told everything.
    ///   - isInterrupted: whether the run shall end before the next file.
    ///   - makeScanner: makes what gives the verdicts, in each thread once.
    package init(
        threads: Int, options: ScanOptions, cleaner: FileCleaner, restoresTime: Bool, output: any FileScanOutput,
        isInterrupted: @escaping () -> Bool, makeScanner: @escaping @Sendable () -> any ObjectScanner
    ) {
        self.makeScanner = makeScanner
        self.threads = threads
        task = ScanPool.Task(options: options, restoresTime: restoresTime)
        self.cleaner = cleaner
        self.output = output
        self.isInterrupted = isInterrupted
    }

    /// Something that the walk found, in its place among the others.
    private enum Step {
        case file(String, ticket: Int)
        case unreadable(String, String)
        case skipped(String, String)
    }

    /// Scans files and everything below directories.
    /// - Parameters:
    ///   - paths: files and directories.
    ///   - selection: what of them is wanted.
    /// - Throws: the error of the client when the scanner cannot be reached: nothing more can be scanned.
    package mutating func scan(_ paths: [String], _ selection: FileSelection) throws(ScanClientError) {
        let pool: ScanPool
        do throws(SystemError) {
            pool = try ScanPool(threads: threads, task, makeScanner)
        } catch {
            throw ScanClientError(.unavailable, "\(error)")
        }
        defer { pool.close() }
        var walk = FileWalk(paths, selection)
        // Enough that no thread waits for the oldest file to be told.
        let window = 4 * max(1, threads)
        var steps: [Step] = []
        var isDone = false
        while !isDone || !steps.isEmpty {
            while !isDone && steps.count < window {
                if isInterrupted() {
                    totals.isInterrupted = true
                    isDone = true
                } else if let event = walk.next() {
                    steps.append(step(event, pool))
                } else {
                    isDone = true
                }
            }
            guard !steps.isEmpty else { break }
            try tell(steps.removeFirst(), pool)
            output.progress(totals)
        }
    }

    private func step(_ event: FileWalk.Event, _ pool: ScanPool) -> Step {
        switch event {
        case .file(let path): .file(path, ticket: pool.submit(path))
        case .unreadable(let path, let problem): .unreadable(path, "error opening (\(problem.reason))")
        case .skipped(let path, let reason): .skipped(path, reason)
        }
    }

    private mutating func tell(_ step: Step, _ pool: ScanPool) throws(ScanClientError) {
        switch step {
        case .file(let path, let ticket):
            switch pool.result(ticket) {
            case .scanned(let object, let verdict): report(path, object, verdict)
            case .failed(let reason): fail(path, reason)
            case .unavailable(let error): throw error
            }
        case .unreadable(let path, let reason): fail(path, reason)
        case .skipped(let path, let reason): output.skipped(path, reason)
        }
    }

    private mutating func report(_ path: String, _ object: ScanObject, _ verdict: ScanVerdict) {
        var file = ScannedFile(path: path, verdict: verdict)
        totals.files += 1
        totals.objects += UInt64(verdict.objectCount)
        if !verdict.notScanned.isEmpty { totals.notScannedFiles += 1 }
        if verdict.isInfected {
            let infectedObjects = UInt64(Set(verdict.threats.map(\.object)).count)
            totals.infectedFiles += 1
            totals.infectedObjects += infectedObjects
            let record = QuarantineRecord(
                time: Clock.realtime / 1_000_000_000, name: path,
                virus: verdict.threats.map(\.name).joined(separator: ", "), agent: "scan", reason: "infected")
            file.cleaning = cleaner.clean(object, path: path, verdict, record)
            if file.cleaning == .deleted {
                totals.cleanedFiles += 1
                totals.cleanedObjects += infectedObjects
            }
        }
        output.scanned(file)
    }

    private mutating func fail(_ path: String, _ reason: String) {
        totals.files += 1
        totals.notScannedFiles += 1
        output.unreadable(path, reason)
    }
}

/// One file and what became of it.
package struct ScannedFile: Sendable {
    package let path: String
    package let verdict: ScanVerdict
    /// nil when there was nothing to clean.
    package var cleaning: FileCleaner.Result?

    /// As log readers know it: "", "cleaned by deleting", "retained".
    package var action: String {
        switch cleaning {
        case nil: ""
        case .deleted: "cleaned by deleting"
        case .retained, .failed: "retained"
        }
    }

    /// What went wrong with cleaning; empty if nothing.
    package var problem: String {
        if case .failed(let reason) = cleaning { reason } else { "" }
    }
}

/// What a run came to.
package struct FileScanTotals: Sendable, Equatable {
    package var files: UInt64 = 0
    package var objects: UInt64 = 0
    package var infectedFiles: UInt64 = 0
    package var infectedObjects: UInt64 = 0
    package var cleanedFiles: UInt64 = 0
    package var cleanedObjects: UInt64 = 0
    package var notScannedFiles: UInt64 = 0
    /// Somebody ended it early.
    package var isInterrupted = false

    package init() {}

    /// 0 no threat, 1 all threats cleaned, 10 something could not be scanned, 50 a threat is left, 100 ended early.
    package var exitCode: Int32 {
        if cleanedFiles < infectedFiles { return 50 }
        if isInterrupted { return 100 }
        if notScannedFiles > 0 { return 10 }
        return infectedFiles > 0 ? 1 : 0
    }
}

/// Takes what a run has to say.
package protocol FileScanOutput: AnyObject {
    func scanned(_ file: ScannedFile)
    func unreadable(_ path: String, _ reason: String)
    func skipped(_ path: String, _ reason: String)
    /// After each file; shown now and then.
    func progress(_ totals: FileScanTotals)
}
