import Platform

/// The sources of em006 in a directory: `*.rules` in the order of their names, `*.counts` (learned tokens), and messages to
/// learn in `training/spam` and `training/ham`.
package struct AntispamSources: Sendable {
    package private(set) var rules: [SpamRule] = []
    package private(set) var statistics = TokenStatistics()
    /// Training messages may be this large.
    private static let largestMessage = 16 << 20
    private static let largestMap = 512 << 20
    /// What was not compiled, and why, for people.
    package private(set) var unused: [String] = []

    package init() {}

    /// Reads a directory; call it once for each directory, the shipped one first.
    package mutating func add(directory: String) throws(SpamCompilerError) {
        let names = try Self.names(directory)
        var parser = RuleParser(continuing: rules)
        for name in names where name.hasSuffix(".rules") {
            let path = "\(directory)/\(name)"
            try parser.add(file: path, text: String(decoding: try Self.read(path), as: UTF8.self))
        }
        rules = parser.rules
        for name in names where name.hasSuffix(".counts") {
            let path = "\(directory)/\(name)"
            statistics.merge(try TokenStatistics(serialized: try Self.read(path), file: path))
        }
        guard names.contains("training") else { return }
        try learn("\(directory)/training/spam", as: .spam)
        try learn("\(directory)/training/ham", as: .ham)
    }

    /// Reads one file of an upstream, by its ending; a message by its folder too.
    ///
    /// - Parameter name: for messages, and of rules that are made of a map.
    package mutating func add(file path: String, as name: String) throws(SpamCompilerError) {
        if name.hasSuffix(".rules") {
            var parser = RuleParser(continuing: rules)
            try parser.add(file: name, text: String(decoding: try Self.read(path), as: UTF8.self))
            rules = parser.rules
        } else if name.hasSuffix(".counts") {
            statistics.merge(try TokenStatistics(serialized: try Self.read(path), file: name))
        } else if let map = MapFile.allCases.first(where: { name.hasSuffix(".\($0.rawValue)") }) {
            var skipped = 0
            if let rule = try map.rule(name, try Self.read(path, limit: Self.largestMap), skipped: &skipped) {
                rules.append(rule)
            }
            if skipped > 0 { unused.append("\(name): \(skipped) lines are no entries of a map") }
        } else if name.hasSuffix(".eml"), let label = Self.label(of: name) {
            var trainer = SpamTrainer(statistics)
            // Or each message would copy all that was learned.
            statistics = TokenStatistics()
            trainer.learn(try Self.read(path), as: label)
            statistics = trainer.statistics
        } else {
            unused.append("\(name): files of this kind are kept, and not compiled into em006")
        }
    }

    /// What messages in a folder of this name are: `…/training/spam/1.eml`.
    private static func label(of name: String) -> TokenStatistics.Label? {
        let folders = name.split(separator: "/").dropLast().suffix(2)
        guard folders.count == 2, folders.first == "training" else { return nil }
        switch folders.last {
        case "spam": return .spam
        case "ham": return .ham
        default: return nil
        }
    }

    private mutating func learn(_ directory: String, as label: TokenStatistics.Label) throws(SpamCompilerError) {
        guard Files.exists(directory) else { return }
        var trainer = SpamTrainer(statistics)
        for name in try Self.names(directory) where name.hasSuffix(".eml") {
            trainer.learn(try Self.read("\(directory)/\(name)"), as: label)
        }
        statistics = trainer.statistics
    }

    private static func names(_ directory: String) throws(SpamCompilerError) -> [String] {
        do throws(SystemError) {
            return try Files.names(in: directory).sorted()
        } catch {
            throw SpamCompilerError(directory, "\(error)")
        }
    }

    private static func read(_ path: String, limit: Int = largestMessage) throws(SpamCompilerError) -> [UInt8] {
        do throws(SystemError) {
            return try Files.read(path, limit: limit)
        } catch {
            throw SpamCompilerError(path, "\(error)")
        }
    }
}
