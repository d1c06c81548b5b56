package import Bytes

/// Reads one command, without prefix and delimiter.
package enum CommandParser {
    private static let plain: [(name: StaticString, command: Command, mayBeBare: Bool)] = [
        ("PING", .ping, true), ("VERSION", .version, true), ("VERSIONCOMMANDS", .versionCommands, false),
        ("STATS", .statistics, false), ("RELOAD", .reload, true), ("SHUTDOWN", .shutdown, true),
        ("QUIT", .shutdown, true), ("DETSTATS", .detectionStatistics, true),
        ("DETSTATSCLEAR", .detectionStatistics, true), ("INSTREAM", .stream, false), ("FILDES", .descriptor, true),
        ("IDSESSION", .beginSession, false), ("END", .endSession, false),
    ]
    private static let scans: [(name: StaticString, kind: Command.PathScan, mayBeBare: Bool)] = [
        ("SCAN ", .first, true), ("CONTSCAN ", .all, true), ("MULTISCAN ", .parallel, true),
        ("ALLMATCHSCAN ", .allMatches, false),
    ]

    /// - Parameters:
    ///   - text: what the client wrote.
    ///   - style: how it wrote it; some commands need a prefix.
    /// - Returns: nil for what is no command.
    package static func parse(_ text: ByteView, _ style: CommandStyle) -> Command? {
        let isBare = style == .bare
        for entry in plain where text.equals(ByteView(entry.name)) {
            return isBare && !entry.mayBeBare ? nil : entry.command
        }
        for entry in scans where text.hasPrefix(ByteView(entry.name)) {
            guard !isBare || entry.mayBeBare else { return nil }
            return .scan(entry.kind, path: text.dropFirst(entry.name.utf8CodeUnitCount).array)
        }
        return nil
    }

    /// Whether a bare text is a whole command although no line end has come: old clients send none.
    static func isWhole(_ text: ByteView) -> Bool {
        plain.contains { $0.mayBeBare && text.equals(ByteView($0.name)) && $0.command != .descriptor }
    }
}
