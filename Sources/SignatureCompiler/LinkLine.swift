import Bytes
import CModuleABI

/// A line of the phishing formats.
///
///     .pdb   R:expression          H:host
///     .wdb   X:expression          Y:expression        M:real host:shown host
///     .gdb   S:F:SHA-256  S1:F:…   S2:F:…              S:W:SHA-256 (allowed)        S:P:prefix
///
/// each with `:lowest level-[highest level]` at the end.
struct LinkLine {
    enum Content: Equatable {
        /// EM_LINK_…, its text, and bytes that every match of an expression has.
        case rule(UInt32, [UInt8], literal: [UInt8])
        /// EM_LINK_HASH_… and the digest.
        case hash(UInt32, [UInt8])
        /// A prefix of hosts that have hashes: only an older engine needs it.
        case prefix
    }

    enum Format { case protected, allowed, hashes }

    /// The line without its levels.
    let name: ByteView
    let content: Content

    init(_ line: ByteView, _ format: Format) throws(LineError) {
        let line = try Self.withoutLevels(line)
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0 else {
            throw .malformed("there is no colon")
        }
        name = try Catalogue.checked(line.prefix(512))
        let text = line.dropFirst(colon + 1)
        guard !text.isEmpty else { throw .malformed("nothing follows the colon") }
        if line[0] == UInt8(ascii: "S"), format != .allowed || text[0] == UInt8(ascii: "W") {
            content = try Self.hash(line.prefix(colon), text)
            return
        }
        switch (format, line[0]) {
        case (.protected, UInt8(ascii: "R")): content = try Self.expression(EM_LINK_PROTECTED_REGEX, text)
        case (.protected, UInt8(ascii: "H")):
            content = .rule(EM_LINK_PROTECTED_HOST, Self.lowercased(text), literal: [])
        case (.allowed, UInt8(ascii: "X")): content = try Self.expression(EM_LINK_ALLOWED_REGEX, text)
        case (.allowed, UInt8(ascii: "Y")): content = try Self.expression(EM_LINK_ALLOWED_REAL, text)
        case (.allowed, UInt8(ascii: "M")):
            guard text.firstIndex(of: UInt8(ascii: ":")) != nil else { throw .malformed("there is no second host") }
            content = .rule(EM_LINK_ALLOWED_HOSTS, Self.lowercased(text), literal: [])
        default: throw .malformed("a kind of line that this file does not have")
        }
    }

    private static func lowercased(_ text: ByteView) -> [UInt8] { text.buffer.map { asciiLowercased($0) } }

    /// The expression takes the whole, with the slash that ends it.
    private static func expression(_ kind: UInt32, _ text: ByteView) throws(LineError) -> Content {
        let regex = Array("^(?:".utf8) + text.array + Array("/)$".utf8)
        try RegexCheck.check(regex, options: 0)
        return .rule(kind, regex, literal: RegexLiteral.longest(text))
    }

    private static func hash(_ kind: ByteView, _ text: ByteView) throws(LineError) -> Content {
        guard text.count > 2, text[1] == UInt8(ascii: ":") else { throw .malformed("a hash line without its kind") }
        let digits = text.dropFirst(2)
        guard let bytes = HexText.bytes(digits) else {
            throw .malformed("the hash has a character that is no hex digit")
        }
        switch text[0] {
        case UInt8(ascii: "P"):
            guard bytes.count == 4 else { throw .malformed("the prefix has not four bytes") }
            return .prefix
        case UInt8(ascii: "F"), UInt8(ascii: "W"):
            guard bytes.count == 32 else { throw .malformed("the hash has the length of no known algorithm") }
        default: throw .malformed("a hash line of an unknown kind")
        }
        if text[0] == UInt8(ascii: "W") { return .hash(EM_LINK_HASH_ALLOWED, bytes) }
        switch kind.count > 1 ? kind[1] : 0 {
        case 0: return .hash(EM_LINK_HASH_MALWARE, bytes)
        case UInt8(ascii: "1"): return .hash(EM_LINK_HASH_BLOCKED, bytes)
        case UInt8(ascii: "2"): return .hash(EM_LINK_HASH_PHISHING, bytes)
        default: throw .malformed("a hash line of an unknown kind")
        }
    }

    /// Levels are `lowest-highest` behind the last colon, with or without the second number.
    private static func withoutLevels(_ line: ByteView) throws(LineError) -> ByteView {
        guard let colon = line.lastIndex(of: UInt8(ascii: ":"), in: 0..<line.count) else { return line }
        let field = line.dropFirst(colon + 1)
        guard let dash = field.firstIndex(of: UInt8(ascii: "-")), let lowest = Number.decimal(field.prefix(dash)) else {
            return line
        }
        let highest = field.dropFirst(dash + 1)
        if !highest.isEmpty, Number.decimal(highest) == nil { return line }
        if lowest > SignatureCompiler.level { throw .unsupported("for a newer engine") }
        if let highest = Number.decimal(highest), highest < SignatureCompiler.level {
            throw .unsupported("for an older engine")
        }
        return line.prefix(colon)
    }
}

/// Bytes that every match of a regular expression has.
enum RegexLiteral {
    /// The longest run of plain characters outside groups and classes; empty when that is uncertain.
    static func longest(_ expression: ByteView) -> [UInt8] {
        var longest: [UInt8] = []
        var run: [UInt8] = []
        var depth = 0
        var index = 0
        func end() {
            if run.count > longest.count { longest = run }
            run = []
        }
        while index < expression.count {
            let byte = expression[index]
            index += 1
            switch byte {
            case UInt8(ascii: "("):
                end()
                guard !changesSyntax(expression, index) else { return [] }
                depth += 1
            case UInt8(ascii: ")"):
                end()
                depth -= 1
            case UInt8(ascii: "["):
                end()
                guard let close = classEnd(expression, index) else { return [] }
                index = close
            case UInt8(ascii: "|") where depth == 0: return []
            case UInt8(ascii: "?"), UInt8(ascii: "*"), UInt8(ascii: "{"):
                // What stands before it need not be there.
                if !run.isEmpty { run.removeLast() }
                end()
                if byte == UInt8(ascii: "{") {
                    index = (expression.firstIndex(of: UInt8(ascii: "}"), from: index) ?? expression.count - 1) + 1
                }
            case UInt8(ascii: "\\"):
                guard let escaped = escape(expression, &index) else { return [] }
                if let byte = escaped.byte {
                    if depth == 0 { run.append(byte) }
                } else {
                    end()
                }
            case UInt8(ascii: "."), UInt8(ascii: "+"), UInt8(ascii: "^"), UInt8(ascii: "$"): end()
            default:
                if depth == 0 { run.append(byte) }
            }
        }
        end()
        return depth == 0 ? longest : []
    }

    /// What a backslash and what follows it mean: a byte, or something else (nil); nil when that is uncertain.
    private static func escape(_ expression: ByteView, _ index: inout Int) -> (byte: UInt8?, isWhole: Bool)? {
        guard index < expression.count else { return nil }
        let escaped = expression[index]
        index += 1
        guard escaped &- 0x30 < 10 || (escaped | 0x20) &- 0x61 < 26 else { return (escaped, true) }
        switch escaped {
        case UInt8(ascii: "n"): return (0x0a, true)
        case UInt8(ascii: "r"): return (0x0d, true)
        case UInt8(ascii: "t"): return (0x09, true)
        case UInt8(ascii: "x"):
            guard index + 1 < expression.count, let high = hexValue(expression[index]),
                let low = hexValue(expression[index + 1])
            else { return nil }
            index += 2
            return (high << 4 | low, true)
        case UInt8(ascii: "d"), UInt8(ascii: "D"), UInt8(ascii: "s"), UInt8(ascii: "S"), UInt8(ascii: "w"),
            UInt8(ascii: "W"), UInt8(ascii: "h"), UInt8(ascii: "H"), UInt8(ascii: "v"), UInt8(ascii: "V"),
            UInt8(ascii: "b"), UInt8(ascii: "B"), UInt8(ascii: "A"), UInt8(ascii: "z"), UInt8(ascii: "Z"),
            UInt8(ascii: "G"), UInt8(ascii: "R"), UInt8(ascii: "N"), UInt8(ascii: "K"):
            return (nil, true)
        // Numbers, quoted text, properties and references.
        default: return nil
        }
    }

    /// Whether the parenthesis before `index` begins a verb, or options with which spaces stand for nothing.
    private static func changesSyntax(_ expression: ByteView, _ index: Int) -> Bool {
        guard index < expression.count else { return false }
        if expression[index] == UInt8(ascii: "*") { return true }
        guard expression[index] == UInt8(ascii: "?") else { return false }
        var at = index + 1
        while at < expression.count,
            (expression[at] | 0x20) &- 0x61 < 26 || expression[at] == UInt8(ascii: "-")
                || expression[at] == UInt8(ascii: "^")
        {
            if expression[at] == UInt8(ascii: "x") { return true }
            at += 1
        }
        return false
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        if byte &- 0x30 < 10 { return byte &- 0x30 }
        let letter = byte | 0x20
        return letter &- 0x61 < 6 ? letter &- 0x61 + 10 : nil
    }

    /// Behind the bracket that closes a class.
    private static func classEnd(_ expression: ByteView, _ start: Int) -> Int? {
        var index = start
        if index < expression.count, expression[index] == UInt8(ascii: "^") { index += 1 }
        // A bracket at the beginning is one of the class.
        if index < expression.count, expression[index] == UInt8(ascii: "]") { index += 1 }
        while index < expression.count {
            if expression[index] == UInt8(ascii: "\\") {
                index += 2
            } else if expression[index] == UInt8(ascii: "]") {
                return index + 1
            } else {
                index += 1
            }
        }
        return nil
    }
}
