import Bytes
import CModuleABI

/// The logical expression of a logical signature or of a regular expression's trigger, in postfix form.
///
/// As ClamAV reads it: without parentheses an expression is split at its first operator, inside parentheses at its last;
/// `&` and `|` bind equally. A count behind a part counts its matches, behind parentheses those of all parts inside.
struct LogicalExpression {
    private(set) var operations: [em_operation] = []
    /// The highest number of a part.
    private(set) var lastPart = 0
    /// The highest number that anything is compared with, 0 when there is none.
    private(set) var largestCount: UInt32 = 0

    private let text: ByteView
    private var at = 0

    /// Parentheses inside parentheses, and operands.
    private static let depthLimit = 64
    private static let operationLimit = 4096

    init(_ text: ByteView) throws(LineError) {
        self.text = text
        let root = try chain(depth: 0)
        guard at == text.count else { throw .malformed("an expression with a parenthesis too many") }
        operations = root
        guard Self.operands(root) <= Int(EM_OPERAND_LIMIT) else { throw .unsupported("an expression too deep") }
    }

    /// Operands joined by operators, up to a closing parenthesis or the end.
    private mutating func chain(depth: Int) throws(LineError) -> [em_operation] {
        guard depth < Self.depthLimit else { throw .unsupported("an expression too deep") }
        var operands: [[em_operation]] = []
        var operators: [UInt32] = []
        while true {
            operands.append(try operand(depth: depth))
            guard at < text.count, text[at] != UInt8(ascii: ")") else { break }
            switch text[at] {
            case UInt8(ascii: "&"): operators.append(EM_OPERATION_AND)
            case UInt8(ascii: "|"): operators.append(EM_OPERATION_OR)
            default: throw .malformed("an expression with an unknown operator")
            }
            at += 1
        }
        // In parentheses the last operator stands alone; what is before it, and all outside, joins from the right.
        let joined = depth > 0 ? operands.count - 1 : operands.count
        var result: [em_operation] = []
        for operand in operands[..<joined] { result += operand }
        for kind in operators[..<max(0, joined - 1)].reversed() { result.append(em_operation(kind: kind, a: 0, b: 0)) }
        if depth > 0, let last = operands.last {
            result += last
            if let kind = operators.last { result.append(em_operation(kind: kind, a: 0, b: 0)) }
        }
        guard result.count <= Self.operationLimit else { throw .unsupported("an expression too long") }
        return result
    }

    private mutating func operand(depth: Int) throws(LineError) -> [em_operation] {
        guard at < text.count else { throw .malformed("an expression that ends early") }
        if text[at] == UInt8(ascii: "(") {
            at += 1
            var inside = try chain(depth: depth + 1)
            guard at < text.count else { throw .malformed("an expression with a parenthesis that does not close") }
            at += 1
            guard let (symbol, count, parts) = try comparison() else { return inside }
            // Parentheses around one part change nothing.
            if inside.count == 1, inside[0].kind == EM_OPERATION_PART {
                return [em_operation(kind: Self.kind(symbol, all: false), a: inside[0].a, b: count)]
            }
            inside.append(em_operation(kind: Self.kind(symbol, all: true), a: count, b: parts))
            return inside
        }
        guard let number = number() else { throw .malformed("an expression with something that is no part's number") }
        guard number < EM_PARTS_LIMIT else { throw .malformed("an expression with more than 64 parts") }
        lastPart = max(lastPart, Int(number))
        // ClamAV passes over what follows the number; lines cut in two have it.
        while at < text.count, ByteView("&|()<>=").firstIndex(of: text[at]) == nil { at += 1 }
        guard let (symbol, count, _) = try comparison() else {
            return [em_operation(kind: EM_OPERATION_PART, a: number, b: 0)]
        }
        return [em_operation(kind: Self.kind(symbol, all: false), a: number, b: count)]
    }

    /// `=N`, `<N`, `>N`, each perhaps with `,M`.
    private mutating func comparison() throws(LineError) -> (symbol: UInt8, count: UInt32, parts: UInt32)? {
        guard at < text.count else { return nil }
        let symbols = ByteView("=<>")
        guard symbols.firstIndex(of: text[at]) != nil else { return nil }
        // Of several symbols the last one counts.
        while at + 1 < text.count, symbols.firstIndex(of: text[at + 1]) != nil { at += 1 }
        let symbol = text[at]
        at += 1
        guard let count = number() else { throw .malformed("an expression without a number behind '=', '<' or '>'") }
        var parts: UInt32 = 0
        if at < text.count, text[at] == UInt8(ascii: ",") {
            at += 1
            parts = number() ?? 0
        }
        largestCount = max(largestCount, count)
        return (symbol, count, parts)
    }

    private static func kind(_ symbol: UInt8, all: Bool) -> UInt32 {
        switch symbol {
        case UInt8(ascii: "="): return all ? EM_OPERATION_ALL_EQUAL : EM_OPERATION_EQUAL
        case UInt8(ascii: "<"): return all ? EM_OPERATION_ALL_BELOW : EM_OPERATION_BELOW
        default: return all ? EM_OPERATION_ALL_ABOVE : EM_OPERATION_ABOVE
        }
    }

    private mutating func number() -> UInt32? {
        var end = at
        while end < text.count, text[end] &- 0x30 < 10 { end += 1 }
        defer { at = end }
        return Number.decimal(text.slice(at, end)).flatMap { UInt32(exactly: $0) }
    }

    /// Operands that lie on the stack at most.
    private static func operands(_ operations: [em_operation]) -> Int {
        var depth = 0
        var most = 0
        for operation in operations {
            switch operation.kind {
            case EM_OPERATION_PART, EM_OPERATION_EQUAL, EM_OPERATION_BELOW, EM_OPERATION_ABOVE: depth += 1
            case EM_OPERATION_AND, EM_OPERATION_OR: depth -= 1
            default: break
            }
            most = max(most, depth)
        }
        return most
    }
}
