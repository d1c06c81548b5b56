import BytesE
import CModuleABI

extension Evaluator {
    /// Operators of two values.
    func binary(_ node: em_yara_node) -> Value {
        let left = value(node.a)
        let right = value(node.b)
        switch UInt32(node.kind) {
        case EM_YARA_NODE_ADD...EM_YARA_NODE_DIVIDE: return arithmetic(UInt32(node.kind), left, right)
        case EM_YARA_NODE_REMAINDER...EM_YARA_NODE_SHIFT_RIGHT:
            guard let a = left.integer, let b = right.integer else { return .undefined }
            return bitwise(UInt32(node.kind), a, b)
        case EM_YARA_NODE_EQUAL...EM_YARA_NODE_GREATER_OR_EQUAL: return comparison(UInt32(node.kind), left, right)
        case EM_YARA_NODE_MATCHES:
            guard let text = left.text, case .regex(let program) = right else { return .undefined }
            let result = matches.machine.finds(program, in: text)
            _ = spend(matches.machine.takeWork())
            return .boolean(result)
        default:
            guard let a = left.text, let b = right.text else { return .undefined }
            return textOperator(UInt32(node.kind), a, b)
        }
    }

    private func arithmetic(_ kind: UInt32, _ left: Value, _ right: Value) -> Value {
        if let a = left.integer, let b = right.integer {
            switch kind {
            case EM_YARA_NODE_ADD: return .integer(a &+ b)
            case EM_YARA_NODE_SUBTRACT: return .integer(a &- b)
            case EM_YARA_NODE_MULTIPLY: return .integer(a &* b)
            default:
                guard b != 0 else { return .undefined }
                return .integer(a.dividedReportingOverflow(by: b).partialValue)
            }
        }
        guard let a = left.number, let b = right.number else { return .undefined }
        switch kind {
        case EM_YARA_NODE_ADD: return .double(a + b)
        case EM_YARA_NODE_SUBTRACT: return .double(a - b)
        case EM_YARA_NODE_MULTIPLY: return .double(a * b)
        default: return .double(a / b)
        }
    }

    private func bitwise(_ kind: UInt32, _ a: Int64, _ b: Int64) -> Value {
        switch kind {
        case EM_YARA_NODE_REMAINDER:
            guard b != 0 else { return .undefined }
            return .integer(a.remainderReportingOverflow(dividingBy: b).partialValue)
        case EM_YARA_NODE_BIT_AND: return .integer(a & b)
        case EM_YARA_NODE_BIT_OR: return .integer(a | b)
        case EM_YARA_NODE_BIT_XOR: return .integer(a ^ b)
        case EM_YARA_NODE_SHIFT_LEFT: return b < 0 ? .undefined : .integer(b < 64 ? a << b : 0)
        default: return b < 0 ? .undefined : .integer(b < 64 ? a >> b : 0)
        }
    }

    private func comparison(_ kind: UInt32, _ left: Value, _ right: Value) -> Value {
        var order = 0
        if let a = left.integer, let b = right.integer {
            order = a < b ? -1 : a > b ? 1 : 0
        } else if let a = left.number, let b = right.number {
            // What is no number equals nothing.
            guard a == a, b == b else { return .boolean(kind == EM_YARA_NODE_NOT_EQUAL) }
            order = a < b ? -1 : a > b ? 1 : 0
        } else if let a = left.text, let b = right.text {
            _ = spend(1 + min(a.count, b.count) / 16)
            order = compare(a, b)
        } else {
            return .undefined
        }
        switch kind {
        case EM_YARA_NODE_EQUAL: return .boolean(order == 0)
        case EM_YARA_NODE_NOT_EQUAL: return .boolean(order != 0)
        case EM_YARA_NODE_LESS: return .boolean(order < 0)
        case EM_YARA_NODE_LESS_OR_EQUAL: return .boolean(order <= 0)
        case EM_YARA_NODE_GREATER: return .boolean(order > 0)
        default: return .boolean(order >= 0)
        }
    }

    private func compare(_ a: ByteView, _ b: ByteView) -> Int {
        for index in 0..<min(a.count, b.count) where a[index] != b[index] { return a[index] < b[index] ? -1 : 1 }
        return a.count - b.count
    }

    private func textOperator(_ kind: UInt32, _ text: ByteView, _ part: ByteView) -> Value {
        _ = spend(1 + text.count / 16)
        switch kind {
        case EM_YARA_NODE_CONTAINS: return .boolean(contains(text, part, folds: false))
        case EM_YARA_NODE_ICONTAINS: return .boolean(contains(text, part, folds: true))
        case EM_YARA_NODE_STARTSWITH: return .boolean(isAt(0, text, part, folds: false))
        case EM_YARA_NODE_ISTARTSWITH: return .boolean(isAt(0, text, part, folds: true))
        case EM_YARA_NODE_ENDSWITH: return .boolean(isAt(text.count - part.count, text, part, folds: false))
        case EM_YARA_NODE_IENDSWITH: return .boolean(isAt(text.count - part.count, text, part, folds: true))
        case EM_YARA_NODE_IEQUALS: return .boolean(text.count == part.count && isAt(0, text, part, folds: true))
        default: return .undefined
        }
    }

    private func isAt(_ start: Int, _ text: ByteView, _ part: ByteView, folds: Bool) -> Bool {
        guard start >= 0, start + part.count <= text.count else { return false }
        for index in 0..<part.count {
            let (a, b) = (text[start + index], part[index])
            guard a == b || (folds && lowercased(a) == lowercased(b)) else { return false }
        }
        return true
    }

    private func contains(_ text: ByteView, _ part: ByteView, folds: Bool) -> Bool {
        guard part.count <= text.count else { return false }
        for start in 0...(text.count - part.count) where isAt(start, text, part, folds: folds) {
            _ = spend(start / 4)
            return true
        }
        return false
    }
}
