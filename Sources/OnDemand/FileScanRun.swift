import Glibc
import Platform
import Quarantine
package import ScanClient
package import ScanProtocol

/// What `esets_scan` does with the files of its arguments. Everything it says goes through a `FileScanOutput`.
package struct FileScanRun {
    private let scanner: any ObjectScanner
    private let options: ScanOptions
    private let cleaner: FileCleaner
    private let restoresTime: Bool
    private let output: any FileScanOutput
    /// Asked before each file; true ends the run early.
    private let isInterrupted: () -> Bool
    package private(set) var totals = FileScanTotals()

    /// UTIME_OMIT of utimensat(2): leave this time as it is.
    private static let omit = (1 << 30) - 2

    /// - Parameters:
    ///   - scanner: gives the verdicts.
    ///   - options: what to scan with.
    ///   - cleaner: what becomes of infected files.
    ///   - restoresTime: whether files keep their time of last access.
    ///   - output: is told everything.
    ///   - isInterrupted: whether the run shall end before the next file.
    package init(
        scanner: any ObjectScanner, options: ScanOptions, cleaner: FileCleaner, restoresTime: Bool,
        output: any FileScanOutput, isInterrupted: @escaping () -> Bool
    ) {
        self.scanner = scanner
        self.options = options
        self.cleaner = cleaner
        self.restoresTime = restoresTime
        self.output = output
        self.isInterrupted = isInterrupted
    }

    /// Scans files and everything below directories.
    /// - Parameters:
    ///   - paths: files and directories.
    ///   - selection: what of them is wanted.
    /// - Throws: the error of the client when the scanner cannot be reached: nothing more can be scanned.
    package mutating func scan(_ paths: [String], _ selection: FileSelection) throws(ScanClientError) {
        var walk = FileWalk(paths, selection)
        while let event = walk.next() {
            if isInterrupted() {
                totals.isInterrupted = true
                return
            }
            switch event {
            case .file(let path): try scan(file: path)
            case .unreadable(let path, let problem): fail(path, "error opening (\(problem.reason))")
            case .skipped(let path, let reason): output.skipped(path, reason)
            }
            output.progress(totals)
        }
    }

    private mutating func scan(file path: String) throws(ScanClientError) {
        let object: ScanObject
        let before: stat
        do throws(SystemError) {
            object = try ScanObject(path: path)
            before = try object.descriptor.status()
        } catch {
            fail(path, "error opening (\(error.reason))")
            return
        }
        let verdict: ScanVerdict
        do throws(ScanClientError) {
            verdict = try scanner.scan(object, options: options, envelope: ScanEnvelope(agent: "scan"))
        } catch  where error.code == .unreadable {
            fail(path, "error reading (\(error.message))")
            return
        }
        if restoresTime {
            var times = [before.st_atim, timespec(tv_sec: 0, tv_nsec: Self.omit)]
            _ = futimens(object.descriptor.raw, &times)
        }
        report(path, object, verdict)
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
