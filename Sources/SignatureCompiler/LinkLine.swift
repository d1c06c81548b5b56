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
        // It is looked for in its own case.
        guard let outline = ExpressionOutline(text, ignoresCase: false), !outline.ignoresCase else {
            return .rule(kind, regex, literal: [])
        }
        return .rule(kind, regex, literal: outline.literal)
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
