import CModuleABI
import YARA

/// One of the ways in which a string of a rule can be written in an object.
enum YARAForm {
    /// One of some texts, whole.
    case literals([[UInt8]], isWide: Bool, ignoresCase: Bool)
    case program(Regex, isWide: Bool)
    /// Pieces with wide gaps between them; the first has none before it.
    case chain([(piece: Regex, least: UInt32, most: UInt32?)])

    /// Gaps above this are no part of a program: a piece is looked for on each side.
    private static let gapLimit = 200

    /// The forms that a string's modifiers ask for.
    static func forms(of string: StringDefinition) -> [YARAForm] {
        let modifiers = string.modifiers
        let widths = modifiers.wide ? (modifiers.ascii ? [false, true] : [true]) : [false]
        switch string.content {
        case .text(let text):
            if modifiers.base64 || modifiers.base64wide {
                let source =
                    modifiers.wide && !modifiers.ascii
                    ? [Self.widened(text)] : modifiers.wide ? [text, Self.widened(text)] : [text]
                let encoded = source.flatMap { Self.base64(of: $0, alphabet: modifiers.alphabet) }
                var forms: [YARAForm] = []
                if modifiers.base64 { forms.append(.literals(encoded, isWide: false, ignoresCase: false)) }
                if modifiers.base64wide {
                    forms.append(.literals(encoded.map(widened), isWide: true, ignoresCase: false))
                }
                return forms
            }
            let ignoresCase = modifiers.nocase && text.contains { ($0 | 0x20) &- 0x61 < 26 }
            return widths.map { isWide in
                let literal = isWide ? widened(text) : text
                guard let keys = modifiers.xor else {
                    return .literals([literal], isWide: isWide, ignoresCase: ignoresCase)
                }
                return .literals(keys.map { key in literal.map { $0 ^ key } }, isWide: isWide, ignoresCase: false)
            }
        case .regex(let regex):
            let folded = Regex(root: regex.root, ignoresCase: regex.ignoresCase || modifiers.nocase)
            return widths.map { isWide in
                if let literal = Self.literal(regex.root) {
                    return .literals(
                        [isWide ? widened(literal) : literal], isWide: isWide, ignoresCase: folded.ignoresCase)
                }
                return .program(folded, isWide: isWide)
            }
        case .hex(let regex):
            if let literal = Self.literal(regex.root) {
                return [.literals([literal], isWide: false, ignoresCase: false)]
            }
            let pieces = Self.pieces(of: regex)
            return pieces.count == 1 ? [.program(regex, isWide: false)] : [.chain(pieces)]
        }
    }

    static func widened(_ text: [UInt8]) -> [UInt8] { text.flatMap { [$0, 0] } }

    /// The bytes of a node that is nothing but bytes.
    static func literal(_ node: Regex.Node) -> [UInt8]? {
        switch node {
        case .byte(let byte): return [byte]
        case .sequence(let parts):
            var bytes: [UInt8] = []
            for part in parts {
                guard case .byte(let byte) = part else { return nil }
                bytes.append(byte)
            }
            return bytes
        default: return nil
        }
    }

    private static func pieces(of regex: Regex) -> [(piece: Regex, least: UInt32, most: UInt32?)] {
        guard case .sequence(let parts) = regex.root else { return [(regex, 0, 0)] }
        var pieces: [(piece: Regex, least: UInt32, most: UInt32?)] = []
        var current: [Regex.Node] = []
        var (least, most): (UInt32, UInt32?) = (0, 0)
        func close() {
            let root = current.count == 1 ? current[0] : Regex.Node.sequence(current)
            pieces.append((Regex(root: root, ignoresCase: false), least, most))
        }
        for (index, part) in parts.enumerated() {
            if case .repetition(_, let low, let high, _) = part, high ?? .max > gapLimit, !current.isEmpty,
                index < parts.count - 1
            {
                close()
                (least, most) = (UInt32(clamping: low), high.map { UInt32(clamping: $0) })
                current = []
            } else {
                current.append(part)
            }
        }
        close()
        return pieces
    }

    /// What base64 makes of a text at each of the three alignments, without the characters that neighbours change.
    static func base64(of text: [UInt8], alphabet: [UInt8]) -> [[UInt8]] {
        let standard = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        let digits = alphabet.count == 64 ? alphabet : standard
        return (0..<3).map { shift in
            let padded = [UInt8](repeating: 0, count: shift) + text
            var encoded: [UInt8] = []
            var bits: UInt32 = 0
            var count = 0
            for byte in padded {
                bits = bits << 8 | UInt32(byte)
                count += 8
                while count >= 6 {
                    count -= 6
                    encoded.append(digits[Int(bits >> UInt32(count) & 63)])
                }
            }
            // What is left over shares a character with what follows; the first characters with what precedes.
            return Array(encoded.dropFirst(shift == 0 ? 0 : shift + 1))
        }
    }
}
