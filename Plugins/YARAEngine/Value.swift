import BytesE

/// A value of a condition.
enum Value {
    case undefined
    case integer(Int64)
    case double(Double)
    /// Bytes that live as long as the evaluation of the object.
    case text(ByteView)
    /// A program: see em_yara_instruction.
    case regex(Program)

    static func boolean(_ value: Bool) -> Value { .integer(value ? 1 : 0) }

    /// Undefined values, zero and empty texts are not true.
    var isTrue: Bool {
        switch self {
        case .undefined: return false
        case .integer(let value): return value != 0
        case .double(let value): return value != 0
        case .text(let text): return !text.isEmpty
        case .regex: return false
        }
    }

    var isDefined: Bool {
        if case .undefined = self { return false }
        return true
    }

    var integer: Int64? {
        if case .integer(let value) = self { return value }
        return nil
    }

    var text: ByteView? {
        if case .text(let value) = self { return value }
        return nil
    }

    /// A number as a floating one.
    var number: Double? {
        switch self {
        case .integer(let value): return Double(value)
        case .double(let value): return value
        default: return nil
        }
    }
}

/// Instructions of the database.
struct Program {
    let first: UInt32
    let count: UInt32
    /// EM_YARA_LONGEST, EM_YARA_WIDE.
    let flags: UInt32
}
