import Bytes
import YARA

/// What the matches of one of PCRE2's expressions are made of, as far as it can be told: every match of the expression matches
/// the outline as well, which knows neither assertions nor cases of letters.
struct ExpressionOutline {
    let root: Regex.Node
    /// Whether letters match in either case anywhere.
    let ignoresCase: Bool

    /// nil when the expression has something that is not understood here; PCRE2 takes it.
    init?(_ expression: ByteView, ignoresCase: Bool) {
        var parser = OutlineParser(expression, ignoresCase: ignoresCase)
        guard let root = parser.alternation(), parser.isAtEnd else { return nil }
        self.root = root
        self.ignoresCase = parser.ignoresCase
    }

    /// The longest run of bytes that every match has, in whatever case of their letters; empty when there is none.
    var literal: [UInt8] {
        var longest: [UInt8] = []
        var run: [UInt8] = []
        func end() {
            if run.count > longest.count { longest = run }
            run = []
        }
        func follow(_ node: Regex.Node) {
            switch node {
            case .empty, .start, .end, .boundary, .notBoundary: break
            case .byte(let byte): run.append(byte)
            case .sequence(let nodes): for node in nodes { follow(node) }
            case .repetition(let node, let least, let most, _) where least > 0:
                follow(node)
                guard least != 1 || most != 1 else { break }
                end()
                // What follows the last one.
                if case .byte(let byte) = node { run.append(byte) }
            default: end()
            }
        }
        follow(root)
        end()
        return longest
    }
}

/// Reads the syntax of PCRE2: pcre2pattern(3), of bytes.
private struct OutlineParser {
    private let text: ByteView
    private var position = 0
    private var depth = 0
    private(set) var ignoresCase: Bool

    private static let depthLimit = 64

    init(_ text: ByteView, ignoresCase: Bool) {
        self.text = text
        self.ignoresCase = ignoresCase
    }

    var isAtEnd: Bool { position == text.count }

    private func peek(_ distance: Int = 0) -> UInt8? {
        position + distance < text.count ? text[position + distance] : nil
    }

    private mutating func take(_ word: StaticString) -> Bool {
        guard text.dropFirst(position).hasPrefix(ByteView(word)) else { return false }
        position += word.utf8CodeUnitCount
        return true
    }

    mutating func alternation() -> Regex.Node? {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else { return nil }
        var branches: [Regex.Node] = []
        repeat {
            guard let branch = sequence() else { return nil }
            branches.append(branch)
        } while take("|")
        return branches.count == 1 ? branches[0] : .alternation(branches)
    }

    private mutating func sequence() -> Regex.Node? {
        var parts: [Regex.Node] = []
        while let byte = peek(), byte != UInt8(ascii: "|"), byte != UInt8(ascii: ")") {
            guard let part = single(), let repeated = repeated(part) else { return nil }
            if repeated != .empty { parts.append(repeated) }
        }
        return parts.isEmpty ? .empty : parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func repeated(_ node: Regex.Node) -> Regex.Node? {
        var node = node
        while let byte = peek() {
            var (least, most): (Int, Int?) = (0, nil)
            switch byte {
            case UInt8(ascii: "*"): position += 1
            case UInt8(ascii: "+"):
                position += 1
                least = 1
            case UInt8(ascii: "?"):
                position += 1
                most = 1
            case UInt8(ascii: "{"):
                guard let bounds = bounds() else { return isLikeBounds ? nil : node }
                (least, most) = bounds
            default: return node
            }
            // Lazy and possessive ones match what others do, or less.
            if !take("?") { _ = take("+") }
            node = .repetition(node, least: least, most: most, isGreedy: true)
        }
        return node
    }

    /// `{n}`, `{n,}`, `{n,m}`; nil, and nothing read, when it is none: then the bracket stands for itself.
    private mutating func bounds() -> (Int, Int?)? {
        var at = position + 1
        func number() -> Int? {
            let start = at
            var value = 0
            while at < text.count, text[at] &- 0x30 < 10 {
                value = min(value * 10 + Int(text[at] &- 0x30), 65_535)
                at += 1
            }
            return at > start ? value : nil
        }
        guard let least = number() else { return nil }
        var most: Int? = least
        if at < text.count, text[at] == UInt8(ascii: ",") {
            at += 1
            most = number()
        }
        guard at < text.count, text[at] == UInt8(ascii: "}") else { return nil }
        position = at + 1
        return (least, most)
    }

    /// Whether some releases take it for a repetition, and others for text, as those with spaces or without the first number.
    private var isLikeBounds: Bool {
        guard let close = text.firstIndex(of: UInt8(ascii: "}"), from: position) else { return false }
        return text.slice(position + 1, close).buffer.allSatisfy {
            $0 &- 0x30 < 10 || $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t")
        }
    }

    private mutating func single() -> Regex.Node? {
        guard let byte = peek() else { return nil }
        position += 1
        switch byte {
        case UInt8(ascii: "("): return group()
        case UInt8(ascii: "["): return set().map { .set($0) }
        case UInt8(ascii: "."): return .set(.all)
        case UInt8(ascii: "^"), UInt8(ascii: "$"): return .empty
        case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"): return nil
        case UInt8(ascii: "\\"):
            switch escape() {
            case .byte(let byte): return .byte(byte)
            case .set(let set): return .set(set)
            case .nothing: return .empty
            // The two bytes of a line's end, or one of them.
            case .lineEnd:
                return .repetition(.set(ByteSet(0x0a...0x0d, 0x85...0x85)), least: 1, most: 2, isGreedy: true)
            case .unknown: return nil
            }
        default: return .byte(byte)
        }
    }

    /// Behind an opening parenthesis.
    private mutating func group() -> Regex.Node? {
        var isAssertion = false
        if peek() == UInt8(ascii: "*") { return nil }
        if take("?") {
            // Behind a comment, a repetition is one of what stands before it.
            if peek() == UInt8(ascii: "#") { return nil }
            if take("=") || take("!") || take("<=") || take("<!") {
                isAssertion = true
            } else if take("P<") || take("<") {
                guard name(until: UInt8(ascii: ">")) else { return nil }
            } else if take("'") {
                guard name(until: UInt8(ascii: "'")) else { return nil }
            } else if !take(":"), !take("|"), !take(">") {
                guard let isGroup = options() else { return nil }
                if !isGroup { return .empty }
            }
        }
        guard let inner = alternation(), take(")") else { return nil }
        return isAssertion ? .empty : inner
    }

    private mutating func name(until end: UInt8) -> Bool {
        while let byte = peek(), ByteSet.word.contains(byte) { position += 1 }
        guard peek() == end else { return false }
        position += 1
        return true
    }

    /// `(?i)` or `(?i:`; whether a group follows. nil: options that change the syntax, references and conditions.
    private mutating func options() -> Bool? {
        while let byte = peek() {
            position += 1
            switch byte {
            case UInt8(ascii: "i"): ignoresCase = true
            case UInt8(ascii: "s"), UInt8(ascii: "m"), UInt8(ascii: "U"), UInt8(ascii: "J"), UInt8(ascii: "-"): break
            case UInt8(ascii: ")"): return false
            case UInt8(ascii: ":"): return true
            default: return nil
            }
        }
        return nil
    }

    private enum Escaped {
        case byte(UInt8)
        case set(ByteSet)
        case nothing, lineEnd, unknown
    }

    /// Behind a backslash.
    private mutating func escape() -> Escaped {
        guard let byte = peek() else { return .unknown }
        position += 1
        guard byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 else { return byte < 0x80 ? .byte(byte) : .unknown }
        switch byte {
        case UInt8(ascii: "w"): return .set(.word)
        case UInt8(ascii: "W"): return .set(ByteSet.word.inverted)
        case UInt8(ascii: "d"): return .set(.digit)
        case UInt8(ascii: "D"): return .set(ByteSet.digit.inverted)
        case UInt8(ascii: "s"): return .set(.space)
        case UInt8(ascii: "S"): return .set(ByteSet.space.inverted)
        case UInt8(ascii: "h"): return .set(Self.horizontal)
        case UInt8(ascii: "H"): return .set(Self.horizontal.inverted)
        case UInt8(ascii: "v"): return .set(Self.vertical)
        case UInt8(ascii: "V"): return .set(Self.vertical.inverted)
        case UInt8(ascii: "N"): return peek() == UInt8(ascii: "{") ? .unknown : .set(.all)
        case UInt8(ascii: "t"): return .byte(0x09)
        case UInt8(ascii: "n"): return .byte(0x0a)
        case UInt8(ascii: "r"): return .byte(0x0d)
        case UInt8(ascii: "f"): return .byte(0x0c)
        case UInt8(ascii: "a"): return .byte(0x07)
        case UInt8(ascii: "e"): return .byte(0x1b)
        case UInt8(ascii: "x"):
            guard let high = digit(0), let low = digit(1) else { return .unknown }
            position += 2
            return .byte(high << 4 | low)
        case UInt8(ascii: "R"): return .lineEnd
        case UInt8(ascii: "b"), UInt8(ascii: "B"), UInt8(ascii: "A"), UInt8(ascii: "z"), UInt8(ascii: "Z"):
            return .nothing
        // Numbers, quoted text, properties, references, and \G and \K, which are about the beginning of the match.
        default: return .unknown
        }
    }

    private func digit(_ distance: Int) -> UInt8? {
        guard let byte = peek(distance) else { return nil }
        if byte &- 0x30 < 10 { return byte &- 0x30 }
        let letter = byte | 0x20
        return letter &- 0x61 < 6 ? letter &- 0x61 + 10 : nil
    }

    private static let horizontal = ByteSet(0x09...0x09, 0x20...0x20, 0xa0...0xa0)
    private static let vertical = ByteSet(0x0a...0x0d, 0x85...0x85)

    /// Behind an opening bracket.
    private mutating func set() -> ByteSet? {
        let isNegated = take("^")
        var result = ByteSet()
        var isFirst = true
        while let byte = peek(), byte != UInt8(ascii: "]") || isFirst {
            isFirst = false
            guard let low = member() else { return nil }
            guard case .byte(let first) = low else {
                guard case .set(let set) = low else { return nil }
                result.formUnion(set)
                continue
            }
            if peek() == UInt8(ascii: "-"), let next = peek(1), next != UInt8(ascii: "]") {
                position += 1
                guard case .byte(let last) = member(), last >= first else { return nil }
                result.insert(first...last)
            } else {
                result.insert(first)
            }
        }
        guard take("]") else { return nil }
        return isNegated ? result.inverted : result
    }

    /// One member of a set; nil for what is not understood.
    private mutating func member() -> Escaped? {
        guard let byte = peek() else { return nil }
        position += 1
        if byte == UInt8(ascii: "["), let next = peek(),
            [UInt8(ascii: ":"), UInt8(ascii: "."), UInt8(ascii: "=")].contains(next)
        {
            return nil
        }
        guard byte == UInt8(ascii: "\\") else { return .byte(byte) }
        if take("b") { return .byte(0x08) }
        switch escape() {
        case .byte(let byte): return .byte(byte)
        case .set(let set): return .set(set)
        case .nothing, .lineEnd, .unknown: return nil
        }
    }
}
