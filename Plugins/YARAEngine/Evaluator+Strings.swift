import BytesE
import CModuleABI

extension Evaluator {
    /// The string that a node names, or the one at hand of a loop.
    private func string(_ node: em_yara_node) -> UInt32? {
        guard node.flags & UInt16(EM_YARA_CURRENT) != 0 else { return node.a }
        return loopVariable(node.a).integer.flatMap { UInt32(exactly: $0) }
    }

    /// Nodes that ask about one string.
    func ofString(_ node: em_yara_node) -> Value {
        guard let string = string(node) else { return .undefined }
        switch UInt32(node.kind) {
        case EM_YARA_NODE_FOUND: return .boolean(matches.isFound(string))
        case EM_YARA_NODE_FOUND_AT:
            guard let offset = value(node.b).integer else { return .undefined }
            return .boolean(isFound(string, at: offset))
        case EM_YARA_NODE_FOUND_IN:
            guard let low = value(node.b).integer, let high = value(node.c).integer else { return .undefined }
            return .boolean(isFound(string, from: low, to: high))
        case EM_YARA_NODE_COUNT: return .integer(Int64(matches.isFound(string) ? matches.count(string) : 0))
        case EM_YARA_NODE_COUNT_IN:
            guard let low = value(node.b).integer, let high = value(node.c).integer else { return .undefined }
            return .integer(Int64(matches.count(string, from: Int(low), to: Int(high))))
        case EM_YARA_NODE_OFFSET, EM_YARA_NODE_LENGTH:
            guard let number = value(node.b).integer, number >= 1, matches.isFound(string),
                let place = matches.place(string, Int(number) - 1)
            else { return .undefined }
            return .integer(Int64(node.kind == UInt16(EM_YARA_NODE_OFFSET) ? place.offset : place.length))
        default: return .undefined
        }
    }

    private func isFound(_ string: UInt32, at offset: Int64) -> Bool {
        isFound(string, from: offset, to: offset)
    }

    private func isFound(_ string: UInt32, from low: Int64, to high: Int64) -> Bool {
        matches.isFound(string) && matches.count(string, from: Int(low), to: Int(high)) > 0
    }

    // MARK: - Sets and loops

    /// How many of a set must be true, and how many are.
    private struct Tally {
        let kind: UInt32
        let wanted: Int
        let total: Int
        var found = 0
        var seen = 0

        /// The answer as soon as it is known.
        var early: Bool? {
            switch kind {
            case EM_YARA_QUANTITY_ALL: return found < seen ? false : nil
            case EM_YARA_QUANTITY_ANY: return found > 0 ? true : nil
            case EM_YARA_QUANTITY_NONE: return found > 0 ? false : nil
            default:
                if wanted <= 0 { return found > 0 ? false : nil }
                if found >= wanted { return true }
                return total - seen < wanted - found ? false : nil
            }
        }

        var final: Bool {
            switch kind {
            case EM_YARA_QUANTITY_ALL: return found == seen && seen > 0
            case EM_YARA_QUANTITY_ANY: return found > 0
            case EM_YARA_QUANTITY_NONE: return found == 0
            default: return wanted <= 0 ? found == 0 : found >= wanted
            }
        }

        mutating func add(_ isTrue: Bool) -> Bool? {
            seen += 1
            if isTrue { found += 1 }
            return early
        }
    }

    private func tally(_ node: em_yara_node, total: Int) -> Tally? {
        let kind = UInt32(node.flags)
        guard kind == EM_YARA_QUANTITY_COUNT || kind == EM_YARA_QUANTITY_PERCENTAGE else {
            return Tally(kind: kind, wanted: 0, total: total)
        }
        guard let number = listed(node.a, 0), let wanted = value(number).integer else { return nil }
        guard kind == EM_YARA_QUANTITY_PERCENTAGE else {
            return Tally(kind: kind, wanted: Int(clamping: wanted), total: total)
        }
        let (product, overflow) = total.multipliedReportingOverflow(by: Int(clamping: wanted))
        return Tally(kind: kind, wanted: overflow ? Int.max : (product + 99) / 100, total: total)
    }

    /// Sets and loops: see the list that the header describes.
    func quantified(_ node: em_yara_node) -> Value {
        guard node.b >= 4, let second = listed(node.a, 1), let third = listed(node.a, 2), let fourth = listed(node.a, 3)
        else { return .undefined }
        let count = Int(node.b) - 4
        if node.kind == UInt16(EM_YARA_NODE_FOR_RANGE) { return range(node, second, third) }
        guard var tally = tally(node, total: count) else { return .undefined }
        var low: Int64 = 0
        var high: Int64 = 0
        if node.kind == UInt16(EM_YARA_NODE_STRINGS_OF), second > 0 {
            guard let first = value(third).integer else { return .undefined }
            (low, high) = (first, first)
            if second == 2 {
                guard let last = value(fourth).integer else { return .undefined }
                high = last
            }
        }
        for index in 0..<count {
            guard let member = listed(node.a, 4 + index), spend(1) else { return .undefined }
            let isTrue: Bool
            switch UInt32(node.kind) {
            case EM_YARA_NODE_STRINGS_OF:
                isTrue = second == 0 ? matches.isFound(member) : isFound(member, from: low, to: high)
            case EM_YARA_NODE_ANY_OF: isTrue = value(member).isTrue
            case EM_YARA_NODE_FOR_STRINGS:
                setVariable(second, .integer(Int64(member)))
                isTrue = value(third).isTrue
            default:
                let element = value(member)
                setVariable(second, element)
                isTrue = value(third).isTrue
            }
            if let answer = tally.add(isTrue) { return .boolean(answer) }
        }
        return .boolean(tally.final)
    }

    private func range(_ node: em_yara_node, _ variable: UInt32, _ body: UInt32) -> Value {
        guard let first = listed(node.a, 4), let last = listed(node.a, 5), let low = value(first).integer,
            let high = value(last).integer
        else { return .undefined }
        guard low <= high else {
            return .boolean(node.flags == UInt16(EM_YARA_QUANTITY_NONE))
        }
        let (difference, overflow) = high.subtractingReportingOverflow(low)
        guard var tally = tally(node, total: overflow ? Int.max : Int(clamping: difference) &+ 1) else {
            return .undefined
        }
        var current = low
        while true {
            guard spend(1) else { return .undefined }
            setVariable(variable, .integer(current))
            if let answer = tally.add(value(body).isTrue) { return .boolean(answer) }
            if current == high { return .boolean(tally.final) }
            current += 1
        }
    }
}
