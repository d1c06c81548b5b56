import CModuleABI

/// Which slots must match before a rule is worth evaluating.
///
/// Not the rule's condition itself, only what follows from it: whenever the rule is true, this is.
indirect enum RuleTrigger {
    /// A part has a match.
    case slot(UInt32)
    case all([RuleTrigger])
    case any([RuleTrigger])
    /// The rule may be true whatever matches.
    case always
    /// The rule is never true.
    case never

    /// What follows from an expression, when `part` says what follows from a part having a match.
    init(_ operations: [em_operation], part: (UInt32) -> RuleTrigger) {
        var stack: [RuleTrigger] = []
        for operation in operations {
            switch operation.kind {
            case EM_OPERATION_PART: stack.append(part(operation.a))
            case EM_OPERATION_EQUAL: stack.append(operation.b == 0 ? .always : part(operation.a))
            case EM_OPERATION_ABOVE: stack.append(part(operation.a))
            case EM_OPERATION_BELOW: stack.append(operation.b == 0 ? .never : .always)
            case EM_OPERATION_AND, EM_OPERATION_OR:
                guard let right = stack.popLast(), let left = stack.popLast() else { continue }
                stack.append(operation.kind == EM_OPERATION_AND ? .all([left, right]) : .any([left, right]))
            // A block that must have matches is true itself; one that may have none, or is false, need not be.
            case EM_OPERATION_ALL_EQUAL where operation.a == 0 && operation.b == 0: stack[stack.count - 1] = .always
            case EM_OPERATION_ALL_BELOW where operation.b == 0: stack[stack.count - 1] = .always
            default: break
            }
        }
        self = stack.last ?? .never
    }

    /// The cheapest set of slots of which one has a match whenever this is true; nil when there is none.
    func slots(cost: (UInt32) -> UInt64) -> (slots: [UInt32], cost: UInt64)? {
        switch self {
        case .slot(let slot): return ([slot], cost(slot))
        case .always: return nil
        case .never: return ([], 0)
        case .all(let parts):
            var best: (slots: [UInt32], cost: UInt64)?
            for part in parts {
                guard let found = part.slots(cost: cost) else { continue }
                if let known = best, known.cost <= found.cost { continue }
                best = found
            }
            return best
        case .any(let parts):
            var sum: (slots: [UInt32], cost: UInt64) = ([], 0)
            for part in parts {
                guard let found = part.slots(cost: cost) else { return nil }
                sum.slots += found.slots
                sum.cost &+= found.cost
            }
            return sum
        }
    }
}
