import Bytes
import CModuleABI
import Tokens

/// Reads rule files. docs/antispam.md describes the format:
///
///     rule NAME
///         describe "what it means"
///         points 12
///         when subject contains "…" "…"
///         when not header List-Id present
package struct RuleParser {
    package private(set) var rules: [SpamRule] = []
    private var byName: [String: Int] = [:]

    package init() {}

    /// Goes on after rules that were read before.
    package init(continuing rules: [SpamRule]) {
        self.rules = rules
        for (index, rule) in rules.enumerated() { byName[rule.name] = index }
    }

    /// Adds the rules of a file. Rules may refer to those of files that were added before.
    ///
    /// - Throws: the first error with file and line.
    package mutating func add(file: String, text: String) throws(SpamCompilerError) {
        var current: SpamRule?
        var number = 0
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            number += 1
            var words = try RuleLine(line.utf8, file: file, number: number)
            guard !words.isAtEnd else { continue }
            let keyword = try words.plain("rule, describe, points, silent or when")
            if keyword == "rule" {
                try finish(current)
                current = try begin(&words)
                continue
            }
            guard var rule = current else { throw words.error("\"\(keyword)\" stands before the first rule") }
            switch keyword {
            case "describe": rule.description = String(decoding: try words.quoted("the description"), as: UTF8.self)
            case "points":
                let points = try words.number("the points", scale: 1000)
                guard abs(points) <= 1_000_000 else { throw words.error("points go from -1000 to 1000") }
                rule.points = Int32(points)
            case "silent": rule.isSilent = true
            case "when": rule.predicates.append(try predicate(&words))
            default:
                throw words.error("\"\(keyword)\" is unknown; there are rule, describe, points, silent and when")
            }
            try words.end()
            current = rule
        }
        try finish(current)
    }

    private func begin(_ words: inout RuleLine) throws(SpamCompilerError) -> SpamRule {
        let name = try words.plain("the rule's name")
        try words.end()
        let isName = name.utf8.allSatisfy { ($0 | 0x20) &- 0x61 < 26 || $0 &- 0x30 < 10 || $0 == 0x5f }
        guard isName, name.utf8.count <= 64 else {
            throw words.error("a rule's name has letters, digits and _ only, 64 at most")
        }
        if let index = byName[name] {
            throw words.error("the rule \(name) is in \(rules[index].file):\(rules[index].line) already")
        }
        return SpamRule(name: name, file: words.file, line: words.number)
    }

    private mutating func finish(_ rule: SpamRule?) throws(SpamCompilerError) {
        guard let rule else { return }
        func error(_ message: String) -> SpamCompilerError { SpamCompilerError(rule.file, line: rule.line, message) }
        if rule.predicates.isEmpty { throw error("the rule \(rule.name) has no condition: add a \"when\" line") }
        if rule.isSilent, rule.points != nil { throw error("the rule \(rule.name) is silent and has points") }
        if !rule.isSilent, rule.points == nil {
            throw error("the rule \(rule.name) has no points: add a \"points\" line, or \"silent\"")
        }
        byName[rule.name] = rules.count
        rules.append(rule)
    }

    // MARK: Conditions

    private static let subjects: [String: UInt32] = [
        "header": EM_ANTISPAM_HEADER, "subject": EM_ANTISPAM_SUBJECT, "from-name": EM_ANTISPAM_FROM_NAME,
        "from": EM_ANTISPAM_FROM, "reply-to": EM_ANTISPAM_REPLY_TO, "link": EM_ANTISPAM_LINK,
        "link-host": EM_ANTISPAM_LINK_HOST, "attachment": EM_ANTISPAM_ATTACHMENT, "sender": EM_ANTISPAM_SENDER,
        "helo": EM_ANTISPAM_HELO, "client": EM_ANTISPAM_CLIENT, "body": EM_ANTISPAM_BODY, "fact": EM_ANTISPAM_FACT,
        "bayes": EM_ANTISPAM_BAYES, "rules": EM_ANTISPAM_RULE,
    ]

    private func predicate(_ words: inout RuleLine) throws(SpamCompilerError) -> SpamRule.Predicate {
        let isNegated = words.take("not")
        let word = try words.plain("what the condition looks at")
        guard let subject = Self.subjects[word] else {
            throw words.error(
                "\"\(word)\" is unknown; there are \(Self.subjects.keys.sorted().joined(separator: ", "))")
        }
        var predicate = SpamRule.Predicate(subject: subject, operation: EM_ANTISPAM_PRESENT, isNegated: isNegated)
        switch subject {
        case EM_ANTISPAM_FACT:
            let name = Array(try words.plain("the fact's name").utf8)
            guard name.withView({ Fact(name: $0) }) != nil else {
                throw words.error(
                    "the fact \"\(String(decoding: name, as: UTF8.self))\" is unknown; there are "
                        + Fact.allCases.map { "\($0.name)" }.sorted().joined(separator: ", "))
            }
            predicate.name = name
            try comparison(&words, &predicate, scale: 1)
        case EM_ANTISPAM_BAYES:
            try comparison(&words, &predicate, scale: 1_000_000)
        case EM_ANTISPAM_RULE:
            try comparison(&words, &predicate, scale: 1)
            try references(&words, &predicate)
        case EM_ANTISPAM_BODY:
            guard words.take("contains") else { throw words.error("body knows \"contains\" only") }
            predicate.operation = EM_ANTISPAM_CONTAINS
            for text in try words.texts() { predicate.texts.append(try Self.literal(text, words)) }
        default:
            if subject == EM_ANTISPAM_HEADER {
                let name = try words.plain("the header field's name")
                guard name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != 0x3a }) else {
                    throw words.error("\"\(name)\" is no name of a header field (it stands without the colon)")
                }
                predicate.name = Array(name.lowercased().utf8)
            }
            try textOperation(&words, &predicate)
        }
        return predicate
    }

    /// "at-least N" or "at-most N"; nothing means at least 1.
    private func comparison(
        _ words: inout RuleLine, _ predicate: inout SpamRule.Predicate, scale: Int64
    ) throws(SpamCompilerError) {
        predicate.operation = EM_ANTISPAM_AT_LEAST
        predicate.number = 1
        if words.take("at-most") {
            predicate.operation = EM_ANTISPAM_AT_MOST
        } else if !words.take("at-least") {
            guard scale == 1 else { throw words.error("\"at-least\" or \"at-most\" is missing") }
            return
        }
        predicate.number = try words.number("the number to compare with", scale: scale)
    }

    private func references(_ words: inout RuleLine, _ predicate: inout SpamRule.Predicate) throws(SpamCompilerError) {
        repeat {
            let name = try words.plain("the name of an earlier rule")
            guard let index = byName[name] else { throw words.error("there is no rule \(name) before this one") }
            predicate.rules.append(index)
        } while !words.isAtEnd
    }

    private func textOperation(
        _ words: inout RuleLine, _ predicate: inout SpamRule.Predicate
    ) throws(SpamCompilerError) {
        let operation = try words.plain("how it is compared")
        switch operation {
        case "present": predicate.operation = EM_ANTISPAM_PRESENT
        case "absent":
            predicate.operation = EM_ANTISPAM_PRESENT
            predicate.isNegated.toggle()
        case "contains", "equals", "begins", "ends":
            predicate.operation =
                operation == "contains"
                ? EM_ANTISPAM_CONTAINS
                : operation == "equals"
                    ? EM_ANTISPAM_EQUALS : operation == "begins" ? EM_ANTISPAM_BEGINS : EM_ANTISPAM_ENDS
            predicate.texts = try words.texts()
        case "capitals":
            predicate.operation = EM_ANTISPAM_CAPITALS
            predicate.number = try words.number("the share of capitals in percent", scale: 10)
            guard (1...1000).contains(predicate.number) else {
                throw words.error("a share goes from 0.1 to 100 percent")
            }
        case "length":
            predicate.operation = EM_ANTISPAM_LENGTH
            predicate.number = try words.number("the least length in bytes", scale: 1)
        case "repeated":
            guard predicate.subject == EM_ANTISPAM_HEADER else {
                throw words.error("only header fields can be repeated")
            }
            predicate.operation = EM_ANTISPAM_REPEATED
            predicate.number = words.isAtEnd ? 1 : try words.number("how often it may be there", scale: 1)
        default:
            throw words.error(
                "\"\(operation)\" is unknown; there are present, absent, contains, equals, begins, ends, capitals, length and repeated"
            )
        }
    }

    /// A text as messages are kept: lower case, one space between words.
    private static func literal(_ text: [UInt8], _ words: RuleLine) throws(SpamCompilerError) -> [UInt8] {
        var sink = TextSink()
        text.withView { sink.add($0) }
        guard sink.bytes.count >= 4 else { throw words.error("a text for body needs at least 4 bytes") }
        guard sink.bytes.count <= 1024 else { throw words.error("a text for body has at most 1024 bytes") }
        return sink.bytes
    }
}
