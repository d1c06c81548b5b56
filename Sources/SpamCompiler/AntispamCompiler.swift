import Bytes
import CModuleABI
package import DataModule
import Tokens

/// Compiles rules and learned tokens into em006.
package enum AntispamCompiler {
    /// - Parameters:
    ///   - rules: in the order of evaluation, as `RuleParser` gives them.
    ///   - statistics: what was learned; nothing leaves the token table empty.
    ///   - version: of the content, rising, e.g. 2026112101.
    ///   - minimum: tokens that fewer messages had are left out.
    /// - Returns: the database, for `DataModule.write`.
    package static func compile(
        rules: [SpamRule], statistics: TokenStatistics, version: UInt64, minimum: UInt32 = 1
    ) -> CompiledDatabase {
        var builder = Builder()
        for rule in rules { builder.add(rule) }
        let (literals, anchors) = builder.literals.sections { builder.place($0) }
        let learned = em_antispam_learned(
            spam: UInt64(statistics.learned.spam), ham: UInt64(statistics.learned.ham), tokenizer: Tokenizer.version,
            reserved: 0)
        return CompiledDatabase(
            kind: EM_DATABASE_ANTISPAM, format: EM_ANTISPAM_FORMAT, version: version, signatures: UInt64(rules.count),
            sections: [
                DatabaseSection(EM_ANTISPAM_SECTION_RULES, version: 1, builder.rules.map(Element.init)),
                DatabaseSection(EM_ANTISPAM_SECTION_PREDICATES, version: 1, builder.predicates.map(Element.init)),
                DatabaseSection(EM_ANTISPAM_SECTION_OPERANDS, version: 1, builder.operands.map(Element.init)),
                DatabaseSection(EM_ANTISPAM_SECTION_LITERALS, version: 1, literals.map(Element.init)),
                DatabaseSection(EM_ANTISPAM_SECTION_ANCHORS, version: 1, literals.isEmpty ? [] : anchors),
                DatabaseSection(
                    EM_ANTISPAM_SECTION_TOKENS, version: 1,
                    TokenTable(statistics, minimum: minimum).buckets.map(Element.init)),
                DatabaseSection(EM_ANTISPAM_SECTION_LEARNED, version: 1, [Element(learned)]),
                DatabaseSection(EM_ANTISPAM_SECTION_TEXT, version: 1, builder.text),
            ])
    }
}

/// A C structure of plain numbers, which is safe to send.
private struct Element<T: BitwiseCopyable>: BitwiseCopyable, @unchecked Sendable {
    let value: T

    init(_ value: T) {
        self.value = value
    }
}

private struct Builder {
    var text: [UInt8] = []
    var rules: [em_antispam_rule] = []
    var predicates: [em_antispam_predicate] = []
    var operands: [em_antispam_text] = []
    var literals = LiteralIndex()
    private var places: [[UInt8]: em_antispam_text] = [:]

    mutating func place(_ bytes: [UInt8]) -> em_antispam_text {
        if let known = places[bytes] { return known }
        let place = em_antispam_text(offset: UInt32(text.count), length: UInt32(bytes.count))
        text += bytes
        places[bytes] = place
        return place
    }

    mutating func add(_ rule: SpamRule) {
        rules.append(
            em_antispam_rule(
                name: place(Array(rule.name.utf8)), description: place(Array(rule.description.utf8)),
                points: rule.points ?? 0, flags: rule.isSilent ? EM_ANTISPAM_RULE_SILENT : 0,
                first_predicate: UInt32(predicates.count), predicate_count: UInt32(rule.predicates.count)))
        for predicate in rule.predicates {
            let first = operands.count
            switch predicate.subject {
            case EM_ANTISPAM_BODY:
                for text in predicate.texts {
                    operands.append(em_antispam_text(offset: UInt32(literals.id(of: text)), length: 0))
                }
            case EM_ANTISPAM_RULE:
                for index in predicate.rules { operands.append(em_antispam_text(offset: UInt32(index), length: 0)) }
            default:
                for text in predicate.texts { operands.append(place(text)) }
            }
            predicates.append(
                em_antispam_predicate(
                    subject: UInt16(predicate.subject), operation: UInt16(predicate.operation),
                    flags: predicate.isNegated ? EM_ANTISPAM_NOT : 0, name: place(predicate.name),
                    number: predicate.number,
                    first_operand: UInt32(first), operand_count: UInt32(operands.count - first)))
        }
    }
}
