import YARA

/// What must match in an object before a YARA rule can be true of it.
struct YARATriggers {
    /// Of each string of the rule, and of each rule of the file.
    let strings: [RuleTrigger]
    let rules: [RuleTrigger]
    /// Bytes at fixed places that triggers ask for: see `placeNumber`.
    private(set) var places: [Place] = []
    private var variables: [Int: RuleTrigger] = [:]

    struct Place: Equatable {
        let bytes: [UInt8]
        let offset: Int64
    }

    init(strings: [RuleTrigger], rules: [RuleTrigger]) {
        self.strings = strings
        self.rules = rules
    }

    /// Slots from here on stand for places until these have slots of their own.
    private static let firstPlace: UInt32 = 1 << 31

    /// The index in `places` that a slot stands for, or nil when it is one.
    static func placeNumber(_ slot: UInt32) -> Int? { slot >= firstPlace ? Int(slot - firstPlace) : nil }

    private mutating func place(_ bytes: [UInt8], _ offset: Int64) -> RuleTrigger {
        let place = Place(bytes: bytes, offset: offset)
        let index = places.firstIndex(of: place) ?? places.count
        if index == places.count { places.append(place) }
        return .slot(Self.firstPlace + UInt32(index))
    }

    /// What follows from a condition being true.
    mutating func whenTrue(_ term: Term) -> RuleTrigger {
        switch term {
        case .boolean(let value): return value ? .always : .never
        case .integer(let value): return value == 0 ? .never : .always
        case .and(let parts): return .all(all(parts))
        case .or(let parts): return .any(all(parts))
        case .rule(let index): return rules[index]
        case .found(let string), .foundAt(let string, _), .foundIn(let string, _, _), .count(let string),
            .countIn(let string, _, _):
            return trigger(string)
        case .unary(.not, .unary(.not, let inner)): return whenTrue(inner)
        case .unary(.defined, let inner): return whenDefined(inner)
        case .unary(.negate, let inner): return whenTrue(inner)
        case .stringsOf(let quantifier, let members, _): return quantity(quantifier, members.map { strings[$0] })
        case .anyOf(let quantifier, let terms): return quantity(quantifier, all(terms))
        case .forStrings(let quantifier, let variable, let members, let body):
            guard isPositive(quantifier) else { return .always }
            variables[variable] = .any(members.map { strings[$0] })
            defer { variables[variable] = nil }
            return whenTrue(body)
        case .forRange(let quantifier, _, let low, let high, let body):
            guard isPositive(quantifier) else { return .always }
            return .all([whenDefined(low), whenDefined(high), whenTrue(body)])
        case .forList(let quantifier, _, _, let body): return isPositive(quantifier) ? whenTrue(body) : .always
        case .binary(let op, let left, let right): return comparison(op, left, right)
        case .call(let path, _, _): return module(path)
        case .field(let path, _): return module(path)
        case .offset, .length: return whenDefined(term)
        default: return .always
        }
    }

    private mutating func all(_ terms: [Term]) -> [RuleTrigger] {
        var result: [RuleTrigger] = []
        for term in terms { result.append(whenTrue(term)) }
        return result
    }

    private func trigger(_ string: Term.StringReference) -> RuleTrigger {
        switch string {
        case .string(let index): return strings[index]
        case .variable(let number): return variables[number] ?? .always
        }
    }

    /// Fields of programs are undefined in what is no program of that kind.
    private mutating func module(_ path: String) -> RuleTrigger {
        if path.hasPrefix("pe.") { return place([0x4d, 0x5a], 0) }
        if path.hasPrefix("elf.") { return place([0x7f, 0x45, 0x4c, 0x46], 0) }
        return .always
    }

    /// What follows from a value being defined.
    private mutating func whenDefined(_ term: Term) -> RuleTrigger {
        switch term {
        case .offset(let string, _), .length(let string, _): return trigger(string)
        case .field(let path, let indexes):
            // This one says so itself, of every object.
            guard path != "pe.is_pe" else { return .always }
            var result = [module(path)]
            for index in indexes { result.append(whenDefined(index)) }
            return .all(result)
        case .unary(.negate, let inner), .unary(.complement, let inner): return whenDefined(inner)
        case .binary(_, let left, let right): return .all([whenDefined(left), whenDefined(right)])
        case .read(_, let offset): return whenDefined(offset)
        default: return .always
        }
    }

    private mutating func comparison(_ op: BinaryOperator, _ left: Term, _ right: Term) -> RuleTrigger {
        var result = [whenDefined(left), whenDefined(right)]
        switch (op, left, right) {
        case (.equal, .read(let reading, .integer(let offset)), .integer(let value)),
            (.equal, .integer(let value), .read(let reading, .integer(let offset))):
            guard offset >= 0, offset <= Int64(Int32.max) else { return .never }
            guard let bytes = Self.bytes(of: value, reading) else { return .never }
            result.append(place(bytes, offset))
        case (.greater, .count(let string), .integer(let least)) where least >= 0,
            (.less, .integer(let least), .count(let string)) where least >= 0:
            result.append(trigger(string))
        case (.greaterOrEqual, .count(let string), .integer(let least)) where least >= 1,
            (.equal, .count(let string), .integer(let least)) where least >= 1,
            (.lessOrEqual, .integer(let least), .count(let string)) where least >= 1,
            (.equal, .integer(let least), .count(let string)) where least >= 1:
            result.append(trigger(string))
        default: break
        }
        return .all(result)
    }

    /// The bytes that such a reading gives a value for.
    private static func bytes(of value: Int64, _ reading: IntegerReading) -> [UInt8]? {
        let bits = Int64(reading.size * 8)
        let low: Int64 = reading.isSigned ? -(1 << (bits - 1)) : 0
        let high: Int64 = reading.isSigned ? 1 << (bits - 1) : 1 << bits
        guard value >= low, value < high else { return nil }
        let little = (0..<reading.size).map { UInt8(truncatingIfNeeded: value >> Int64($0 * 8)) }
        return reading.isBigEndian ? little.reversed() : little
    }

    private func isPositive(_ quantifier: Term.Quantifier) -> Bool {
        switch quantifier {
        case .all, .any: return true
        case .none: return false
        case .count(.integer(let count)), .percentage(.integer(let count)): return count > 0
        case .count, .percentage: return false
        }
    }

    private func quantity(_ quantifier: Term.Quantifier, _ members: [RuleTrigger]) -> RuleTrigger {
        switch quantifier {
        case .all: return .all(members)
        case .any: return .any(members)
        case .none: return .always
        case .count(.integer(let count)): return atLeast(Int(clamping: count), members)
        case .percentage(.integer(let count)):
            return atLeast((members.count * Int(clamping: count) + 99) / 100, members)
        case .count, .percentage: return .always
        }
    }

    /// When so many of them match, one of any set of the others' number plus one does.
    private func atLeast(_ count: Int, _ members: [RuleTrigger]) -> RuleTrigger {
        guard count > 0 else { return .always }
        guard count <= members.count else { return .never }
        let size = members.count - count + 1
        return .all((0..<min(16, members.count - size + 1)).map { .any(Array(members[$0..<$0 + size])) })
    }
}
