import Glibc
import JSON
import OnDemand
import Platform
import Programs
import ScanProtocol

/// Writes what a run says: to standard output, to the log file, as text or as JSON, and progress to the terminal.
final class ScanWriter: FileScanOutput {
    private let isJSON: Bool
    private let showsAll: Bool
    private let usesConsole: Bool
    private let file: Descriptor?
    private let commandLine: String
    private let started = Clock.now
    private var progressLine: ProgressLine?
    /// Whether the log file failed; said once.
    private var hasFailed = false

    init(_ arguments: Arguments) throws(SystemError) {
        isJSON = arguments.has("json")
        showsAll = arguments.has("log-all")
        usesConsole = arguments.toggle("log-console") ?? true
        commandLine = CommandLine.arguments.dropFirst().map(OutputText.line).joined(separator: " ")
        if let path = arguments.value("log-file") {
            let mode = arguments.has("log-rewrite") ? O_TRUNC : 0
            file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | mode, mode: 0o640)
        } else {
            file = nil
        }
        // On a terminal the line would be torn by the output only when both go there; it is removed before.
        progressLine = arguments.toggle("aind") ?? true ? ProgressLine("Scanning, files:") : nil
    }

    /// The first block.
    func begin(_ status: [StatusLine]) {
        guard !isJSON else { return }
        put("\(Product.name) Command-line scanner, version \(Product.version)")
        for line in Self.moduleLines(status) { put(line) }
        put("")
        put("Command line: \(commandLine)")
        put("")
        put("Scan started at:   \(Self.localTime)")
    }

    /// The last block.
    func end(_ totals: FileScanTotals) {
        progressLine?.clear()
        let seconds = (Clock.now - started) / 1_000_000_000
        if isJSON {
            put(FileScanJSON.summary(totals, seconds: seconds).text())
        } else {
            put("")
            for line in FileScanText.summary(totals, completed: Self.localTime, seconds: seconds) { put(line) }
        }
    }

    func failed() { progressLine?.clear() }

    func scanned(_ file: ScannedFile) {
        let isClean = !file.verdict.isInfected && file.verdict.notScanned.isEmpty
        if isClean && !showsAll { return }
        if isJSON {
            put(FileScanJSON.file(file).text())
        } else {
            for line in FileScanText.lines(file, all: showsAll) { put(line) }
        }
    }

    func unreadable(_ path: String, _ reason: String) {
        put(isJSON ? FileScanJSON.unreadable(path, reason).text() : FileScanText.line(path, info: reason))
    }

    func skipped(_ path: String, _ reason: String) {
        guard showsAll else { return }
        put(
            isJSON ? FileScanJSON.skipped(path, reason).text() : FileScanText.line(path, info: "not scanned: \(reason)")
        )
    }

    func progress(_ totals: FileScanTotals) {
        progressLine?.update(Int(clamping: totals.files), of: nil)
    }

    private func put(_ line: String) {
        progressLine?.clear()
        if usesConsole { Console.print(line) }
        guard let file, !hasFailed else { return }
        do throws(SystemError) {
            try file.writeAll([UInt8]((line + "\n").utf8))
        } catch {
            hasFailed = true
            Console.error("esets_scan: the log file cannot be written: \(error)")
        }
    }

    /// "Module loader, version 1.0.0", from the status line "Module.N" with "em000.loader 1.0.0". For the scanner stands the
    /// version of the signatures: that is what consumers take from its line.
    private static func moduleLines(_ status: [StatusLine]) -> [String] {
        let signatures = status.first { $0.name == "AVSigsVer" }.map(\.value) ?? "0"
        return status.filter { $0.name.hasPrefix("Module.") }.map { line in
            let words = line.value.split(separator: " ", maxSplits: 1)
            let id = words.first ?? ""
            let name = id.firstIndex(of: ".").map { id[id.index(after: $0)...] } ?? id
            let version = name == "scanner" ? signatures : words.count > 1 ? String(words[1]) : ""
            return "Module \(name), version \(version)"
        }
    }

    /// "Sun 01 Jul 2018 12:00:00 PM CEST"
    private static var localTime: String {
        var now = time(nil)
        var parts = tm()
        localtime_r(&now, &parts)
        var buffer = [CChar](repeating: 0, count: 64)
        let count = strftime(&buffer, buffer.count, "%a %d %b %Y %I:%M:%S %p %Z", &parts)
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
