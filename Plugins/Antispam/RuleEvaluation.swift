import BytesE
import CModuleABI
import MIMEE
import TokensE

/// Decides which rules of the database hold for one message.
package struct RuleEvaluation {
    private let database: AntispamDatabase
    private let content: MessageContent
    private let envelope: Envelope
    /// Spam probability in 1/1000000, when there is one.
    private let probability: Int64?
    private let literals: [Bool]
    private var held: [Bool]

    init(
        _ database: AntispamDatabase, _ search: LiteralSearch, _ content: MessageContent, _ envelope: Envelope,
        probability: Double?
    ) {
        self.database = database
        self.content = content
        self.envelope = envelope
        self.probability = probability.map { Int64($0 * 1_000_000) }
        // The subject is the first thing a reader reads: body rules see it, too.
        var sink = TextSink()
        content.subject.withView { sink.add($0) }
        sink.space()
        literals = (sink.bytes + content.text).withView { search.find(in: $0) }
        held = [Bool](repeating: false, count: database.ruleCount)
    }

    /// The indexes of the rules that hold and count, in order.
    mutating func run() -> [Int] {
        var result: [Int] = []
        for index in 0..<database.ruleCount {
            let rule = database.rule(index)
            guard rule.predicate_count > 0 else { continue }
            var holds = true
            for number in 0..<Int(rule.predicate_count) where holds {
                let predicate = database.predicate(Int(rule.first_predicate) + number)
                holds = self.holds(predicate) != (predicate.flags & EM_ANTISPAM_NOT != 0)
            }
            held[index] = holds
            if holds, rule.flags & EM_ANTISPAM_RULE_SILENT == 0 { result.append(index) }
        }
        return result
    }

    private func holds(_ predicate: em_antispam_predicate) -> Bool {
        switch UInt32(predicate.subject) {
        case EM_ANTISPAM_HEADER: return header(predicate)
        case EM_ANTISPAM_SUBJECT: return one(content.subject, predicate)
        case EM_ANTISPAM_FROM_NAME: return one(content.from.name, predicate)
        case EM_ANTISPAM_FROM: return one(content.from.address, predicate)
        case EM_ANTISPAM_REPLY_TO: return one(content.replyTo.address, predicate)
        case EM_ANTISPAM_LINK:
            return content.links.prefix(300).contains { one(Array($0.target.prefix(512)), predicate) }
        case EM_ANTISPAM_LINK_HOST: return content.links.prefix(300).contains { one($0.host, predicate) }
        case EM_ANTISPAM_ATTACHMENT: return content.attachments.contains { one($0, predicate) }
        case EM_ANTISPAM_SENDER: return one(envelope.sender, predicate)
        case EM_ANTISPAM_HELO: return one(envelope.helo, predicate)
        case EM_ANTISPAM_CLIENT: return one(envelope.client, predicate)
        case EM_ANTISPAM_BODY: return operands(predicate).contains { literals[Int(database.operand($0).offset)] }
        case EM_ANTISPAM_FACT:
            guard let fact = Fact(name: database.text(predicate.name)) else { return false }
            return compare(content.facts[fact], predicate)
        case EM_ANTISPAM_BAYES: return probability.map { compare($0, predicate) } ?? false
        case EM_ANTISPAM_RULE:
            let count = operands(predicate).reduce(0) { $0 + (held[Int(database.operand($1).offset)] ? 1 : 0) }
            return compare(Int64(count), predicate)
        default: return false
        }
    }

    private func operands(_ predicate: em_antispam_predicate) -> Range<Int> {
        Int(predicate.first_operand)..<(Int(predicate.first_operand) + Int(predicate.operand_count))
    }

    private func compare(_ value: Int64, _ predicate: em_antispam_predicate) -> Bool {
        switch UInt32(predicate.operation) {
        case EM_ANTISPAM_AT_LEAST: value >= predicate.number
        case EM_ANTISPAM_AT_MOST: value <= predicate.number
        default: false
        }
    }

    private func header(_ predicate: em_antispam_predicate) -> Bool {
        let name = database.text(predicate.name)
        var times: Int64 = 0
        for field in content.fields where field.name.count == name.count {
            guard content.message.slice(field.name.lowerBound, field.name.upperBound).equalsIgnoringCase(name) else {
                continue
            }
            times += 1
            switch UInt32(predicate.operation) {
            case EM_ANTISPAM_PRESENT: return true
            case EM_ANTISPAM_REPEATED: if times > predicate.number { return true }
            default:
                if one(EncodedWords.decode(field.value(in: content.message), limit: 4096), predicate) { return true }
            }
        }
        return false
    }

    /// Compares one text.
    private func one(_ bytes: [UInt8], _ predicate: em_antispam_predicate) -> Bool {
        bytes.withView { text in
            switch UInt32(predicate.operation) {
            case EM_ANTISPAM_PRESENT: return !text.isEmpty
            case EM_ANTISPAM_LENGTH: return Int64(text.count) >= predicate.number
            case EM_ANTISPAM_CAPITALS: return isInCapitals(text, predicate.number)
            case EM_ANTISPAM_EQUALS:
                return operands(predicate).contains { text.equalsIgnoringCase(database.text(database.operand($0))) }
            case EM_ANTISPAM_BEGINS:
                return operands(predicate).contains { text.hasPrefixIgnoringCase(database.text(database.operand($0))) }
            case EM_ANTISPAM_ENDS:
                return operands(predicate).contains { text.hasSuffixIgnoringCase(database.text(database.operand($0))) }
            case EM_ANTISPAM_LISTED:
                return isListed(text.prefix(1024), predicate)
            case EM_ANTISPAM_CONTAINS:
                let head = text.prefix(16_384)
                return operands(predicate).contains { contains(head, database.text(database.operand($0))) }
            default: return false
            }
        }
    }

    /// Whether it is one of the operands, which are sorted; a host also when a domain above it is.
    private func isListed(_ text: ByteView, _ predicate: em_antispam_predicate) -> Bool {
        var rest = text
        while !rest.isEmpty {
            if isOperand(rest, operands(predicate)) { return true }
            guard UInt32(predicate.subject) == EM_ANTISPAM_LINK_HOST,
                let dot = rest.firstIndex(of: UInt8(ascii: "."))
            else { return false }
            rest = rest.dropFirst(dot + 1)
        }
        return false
    }

    /// By halves: the operands are in the order of their bytes, in lower case.
    private func isOperand(_ text: ByteView, _ range: Range<Int>) -> Bool {
        var low = range.lowerBound
        var high = range.upperBound
        while low < high {
            let middle = low + (high - low) / 2
            let other = database.text(database.operand(middle))
            var index = 0
            while index < text.count, index < other.count, asciiLowercased(text[index]) == other[index] { index += 1 }
            if index == text.count, index == other.count { return true }
            if index == other.count || (index < text.count && asciiLowercased(text[index]) > other[index]) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return false
    }

    private func isInCapitals(_ text: ByteView, _ perMille: Int64) -> Bool {
        var letters: Int64 = 0
        var capitals: Int64 = 0
        for byte in text.buffer where (byte | 0x20) &- 0x61 < 26 {
            letters += 1
            if byte & 0x20 == 0 { capitals += 1 }
        }
        return letters >= 8 && capitals * 1000 >= letters * perMille
    }

    private func contains(_ text: ByteView, _ wanted: ByteView) -> Bool {
        guard !wanted.isEmpty, text.count >= wanted.count else { return false }
        let first = asciiLowercased(wanted[0])
        for index in 0...(text.count - wanted.count) where asciiLowercased(text[index]) == first {
            if text.dropFirst(index).hasPrefixIgnoringCase(wanted) { return true }
        }
        return false
    }
}
