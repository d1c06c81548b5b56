package import JSON
import ScanProtocol

/// The output of `esets_scan --json`: one JSON object a line, `type` is "file", "skipped" or "summary".
package enum FileScanJSON {
    /// One file.
    package static func file(_ file: ScannedFile) -> JSONValue {
        let paths = ObjectPath(file.verdict, root: file.path)
        let isNotScanned = !file.verdict.notScanned.isEmpty
        return [
            "type": "file",
            "path": .string(file.path),
            "status": file.verdict.isInfected ? "infected" : isNotScanned ? "notscanned" : "clean",
            "action": .string(file.action),
            "problem": .string(file.problem),
            "objects": .integer(Int64(file.verdict.objectCount)),
            "database": .integer(Int64(clamping: file.verdict.databaseVersion)),
            "threats": .array(
                file.verdict.threats.map {
                    [
                        "object": .string(paths.text($0.object)), "name": .string($0.name),
                        "source": .string($0.source), "class": .string(name(of: $0.kind)),
                        "offset": $0.offset.map { .integer(Int64(clamping: $0)) } ?? .null,
                        "score": $0.kind == .heuristic ? .number($0.score) : .null,
                    ]
                }),
            "not_scanned": .array(
                file.verdict.notScanned.map {
                    ["object": .string(paths.text($0.object)), "reason": .string($0.name)]
                }),
            "notes": .array(
                file.verdict.findings.filter { !$0.isThreat && $0.kind != .notScanned }.map {
                    [
                        "object": .string(paths.text($0.object)), "text": .string($0.name),
                        "class": .string(name(of: $0.kind)), "score": .number($0.score),
                    ]
                }),
        ]
    }

    /// What sort of threat or remark it is: a signature's word, a suspicion, or an application that not everybody wants.
    private static func name(of kind: Finding.Kind) -> String {
        switch kind {
        case .infected: "signature"
        case .heuristic: "heuristic"
        case .unwanted: "unwanted"
        case .unsafe: "unsafe"
        case .spam: "spam"
        case .notScanned: "notscanned"
        case .note: "note"
        }
    }

    /// A file that could not be read.
    package static func unreadable(_ path: String, _ reason: String) -> JSONValue {
        [
            "type": "file", "path": .string(path), "status": "notscanned", "action": "", "problem": .string(reason),
            "objects": 0, "database": 0, "threats": [], "not_scanned": [],
            "notes": [],
        ]
    }

    /// Something that is nothing to scan.
    package static func skipped(_ path: String, _ reason: String) -> JSONValue {
        ["type": "skipped", "path": .string(path), "reason": .string(reason)]
    }

    /// The last line.
    package static func summary(_ totals: FileScanTotals, seconds: UInt64) -> JSONValue {
        func number(_ value: UInt64) -> JSONValue { .integer(Int64(clamping: value)) }
        return [
            "type": "summary", "files": number(totals.files), "objects": number(totals.objects),
            "infected_files": number(totals.infectedFiles), "infected_objects": number(totals.infectedObjects),
            "cleaned_files": number(totals.cleanedFiles), "cleaned_objects": number(totals.cleanedObjects),
            "not_scanned_files": number(totals.notScannedFiles), "interrupted": .bool(totals.isInterrupted),
            "seconds": number(seconds), "exit": .integer(Int64(totals.exitCode)),
        ]
    }
}
