import ScanProtocol

/// The output of `esets_scan` as lines that other programs split: `name="…", threat="…", action="…", info="…"`.
package enum FileScanText {
    /// The lines of one file: one for each threat and each reason why something was not scanned. A file without
    /// either has one line only when `all` is set.
    /// - Parameters:
    ///   - file: what was found in it.
    ///   - all: whether clean files are named too.
    /// - Returns: the lines, without line endings.
    package static func lines(_ file: ScannedFile, all: Bool) -> [String] {
        let paths = ObjectPath(file.verdict, root: file.path)
        var lines = file.verdict.threats.map {
            line(paths.text($0.object), threat: threatText($0), action: file.action, info: file.problem)
        }
        lines += file.verdict.notScanned.map { line(paths.text($0.object), info: $0.name) }
        if lines.isEmpty && all { lines.append(line(file.path, threat: "is OK")) }
        return lines
    }

    /// One line; nothing in it can end a field or the line.
    /// - Parameters:
    ///   - name: path of the object.
    ///   - threat: what was found; empty if nothing.
    ///   - action: what was done; empty if nothing.
    ///   - info: anything else.
    /// - Returns: the line, without its ending.
    package static func line(_ name: String, threat: String = "", action: String = "", info: String = "") -> String {
        "name=\(OutputText.quoted(name)), threat=\(OutputText.quoted(threat)), "
            + "action=\(OutputText.quoted(action)), info=\(OutputText.quoted(info))"
    }

    /// The last block.
    /// - Parameters:
    ///   - totals: what the run came to.
    ///   - completed: date and time of its end, as it is shown.
    ///   - seconds: how long it took.
    /// - Returns: the lines, without line endings.
    package static func summary(_ totals: FileScanTotals, completed: String, seconds: UInt64) -> [String] {
        let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60)
        let clock = "\(hours):\(minutes < 10 ? "0" : "")\(minutes):\(rest < 10 ? "0" : "")\(rest)"
        var lines = [
            totals.isInterrupted ? "Scan interrupted at: \(completed)" : "Scan completed at: \(completed)",
            "Scan time:         \(seconds) sec (\(clock))",
            "Total:             files - \(totals.files), objects \(totals.objects)",
            "Infected:          files - \(totals.infectedFiles), objects \(totals.infectedObjects)",
            "Cleaned:           files - \(totals.cleanedFiles), objects \(totals.cleanedObjects)",
        ]
        if totals.notScannedFiles > 0 { lines.append("Not scanned:       files - \(totals.notScannedFiles)") }
        return lines
    }

    private static func threatText(_ finding: Finding) -> String {
        switch finding.kind {
        case .heuristic: "probably \(finding.name)"
        case .unwanted: "\(finding.name), a potentially unwanted application"
        case .unsafe: "\(finding.name), a potentially unsafe application"
        default: finding.name
        }
    }
}
