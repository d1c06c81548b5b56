import CModuleABI
import YARA

/// Lowers the condition of one rule to nodes.
struct YARACondition {
    /// Indexes in the database of the rule's strings (the first one) and of the file's rules.
    let firstString: UInt32
    let rules: [UInt32]
    /// Why it cannot be lowered.
    private(set) var obstacle: LineError?

    init(firstString: UInt32, rules: [UInt32]) {
        self.firstString = firstString
        self.rules = rules
    }

    mutating func lower(_ term: Term, _ table: inout YARATable) -> UInt32 {
        switch term {
        case .boolean(let value): return table.node(EM_YARA_NODE_BOOLEAN, value ? 1 : 0)
        case .integer(let value): return number(EM_YARA_NODE_INTEGER, UInt64(bitPattern: value), &table)
        case .double(let value): return number(EM_YARA_NODE_DOUBLE, value.bitPattern, &table)
        case .text(let text): return table.node(EM_YARA_NODE_TEXT, table.place(text), UInt32(text.count))
        case .regex(let regex):
            guard let program = table.program(regex, isWide: false) else {
                obstacle = .unsupported("a regular expression that is too long")
                return 0
            }
            return table.node(EM_YARA_NODE_REGEX, flags: program.flags, program.first, program.count)
        case .filesize: return table.node(EM_YARA_NODE_FILESIZE)
        case .entrypoint: return table.node(EM_YARA_NODE_ENTRYPOINT)
        case .external(let name):
            return table.node(EM_YARA_NODE_EXTERNAL, table.place(Array(name.utf8)), UInt32(name.utf8.count))
        case .variable(let number): return table.node(EM_YARA_NODE_VARIABLE, UInt32(number))
        case .unary(let op, let operand): return table.node(Self.kind(op), lower(operand, &table))
        case .binary(let op, let left, let right):
            let (a, b) = (lower(left, &table), lower(right, &table))
            return table.node(Self.kind(op), a, b)
        case .and(let parts): return nary(EM_YARA_NODE_AND, parts, &table)
        case .or(let parts): return nary(EM_YARA_NODE_OR, parts, &table)
        case .read(let reading, let offset):
            return table.node(
                EM_YARA_NODE_READ,
                flags: (reading.isSigned ? EM_YARA_SIGNED : 0) | (reading.isBigEndian ? EM_YARA_BIG : 0),
                lower(offset, &table), UInt32(reading.size))
        case .field(let path, let indexes):
            let list = lowered(indexes, &table)
            return table.node(
                EM_YARA_NODE_FIELD, table.name(path, signature: ""), table.list(list), UInt32(list.count))
        case .call(let path, let signature, let arguments):
            let list = lowered(arguments, &table)
            return table.node(
                EM_YARA_NODE_CALL, table.name(path, signature: signature), table.list(list), UInt32(list.count))
        case .rule(let index): return table.node(EM_YARA_NODE_RULE, rules[index])
        case .found(let string): return ofString(EM_YARA_NODE_FOUND, string, [], &table)
        case .foundAt(let string, let at): return ofString(EM_YARA_NODE_FOUND_AT, string, [at], &table)
        case .foundIn(let string, let low, let high):
            return ofString(EM_YARA_NODE_FOUND_IN, string, [low, high], &table)
        case .count(let string): return ofString(EM_YARA_NODE_COUNT, string, [], &table)
        case .countIn(let string, let low, let high):
            return ofString(EM_YARA_NODE_COUNT_IN, string, [low, high], &table)
        case .offset(let string, let index): return ofString(EM_YARA_NODE_OFFSET, string, [index], &table)
        case .length(let string, let index): return ofString(EM_YARA_NODE_LENGTH, string, [index], &table)
        case .stringsOf(let quantifier, let members, let position):
            var place: [UInt32] = [0, 0, 0]
            switch position {
            case nil: break
            case .at(let offset): place = [1, lower(offset, &table), 0]
            case .range(let low, let high): place = [2, lower(low, &table), lower(high, &table)]
            }
            return set(EM_YARA_NODE_STRINGS_OF, quantifier, place, members.map { firstString + UInt32($0) }, &table)
        case .anyOf(let quantifier, let terms):
            return set(EM_YARA_NODE_ANY_OF, quantifier, [0, 0, 0], lowered(terms, &table), &table)
        case .forStrings(let quantifier, let variable, let members, let body):
            let head = [UInt32(variable), lower(body, &table), 0]
            return set(EM_YARA_NODE_FOR_STRINGS, quantifier, head, members.map { firstString + UInt32($0) }, &table)
        case .forRange(let quantifier, let variable, let low, let high, let body):
            let head = [UInt32(variable), lower(body, &table), 0]
            return set(EM_YARA_NODE_FOR_RANGE, quantifier, head, lowered([low, high], &table), &table)
        case .forList(let quantifier, let variable, let values, let body):
            let head = [UInt32(variable), lower(body, &table), 0]
            return set(EM_YARA_NODE_FOR_LIST, quantifier, head, lowered(values, &table), &table)
        }
    }

    private mutating func lowered(_ terms: [Term], _ table: inout YARATable) -> [UInt32] {
        var result: [UInt32] = []
        for term in terms { result.append(lower(term, &table)) }
        return result
    }

    private func number(_ kind: UInt32, _ bits: UInt64, _ table: inout YARATable) -> UInt32 {
        table.node(kind, UInt32(truncatingIfNeeded: bits), UInt32(truncatingIfNeeded: bits >> 32))
    }

    private mutating func nary(_ kind: UInt32, _ parts: [Term], _ table: inout YARATable) -> UInt32 {
        let list = lowered(parts, &table)
        return table.node(kind, table.list(list), UInt32(list.count))
    }

    private mutating func ofString(
        _ kind: UInt32, _ string: Term.StringReference, _ operands: [Term], _ table: inout YARATable
    ) -> UInt32 {
        let nodes = lowered(operands, &table) + [0, 0]
        switch string {
        case .string(let index): return table.node(kind, firstString + UInt32(index), nodes[0], nodes[1])
        case .variable(let number): return table.node(kind, flags: EM_YARA_CURRENT, UInt32(number), nodes[0], nodes[1])
        }
    }

    private mutating func set(
        _ kind: UInt32, _ quantifier: Term.Quantifier, _ head: [UInt32], _ members: [UInt32], _ table: inout YARATable
    ) -> UInt32 {
        let flags: UInt32
        var number: UInt32 = 0
        switch quantifier {
        case .all: flags = EM_YARA_QUANTITY_ALL
        case .any: flags = EM_YARA_QUANTITY_ANY
        case .none: flags = EM_YARA_QUANTITY_NONE
        case .count(let count):
            flags = EM_YARA_QUANTITY_COUNT
            number = lower(count, &table)
        case .percentage(let count):
            flags = EM_YARA_QUANTITY_PERCENTAGE
            number = lower(count, &table)
        }
        let list = [number] + head + members
        return table.node(kind, flags: flags, table.list(list), UInt32(list.count))
    }

    private static func kind(_ op: UnaryOperator) -> UInt32 {
        switch op {
        case .negate: return EM_YARA_NODE_NEGATE
        case .complement: return EM_YARA_NODE_COMPLEMENT
        case .not: return EM_YARA_NODE_NOT
        case .defined: return EM_YARA_NODE_DEFINED
        }
    }

    private static func kind(_ op: BinaryOperator) -> UInt32 {
        switch op {
        case .add: return EM_YARA_NODE_ADD
        case .subtract: return EM_YARA_NODE_SUBTRACT
        case .multiply: return EM_YARA_NODE_MULTIPLY
        case .divide: return EM_YARA_NODE_DIVIDE
        case .remainder: return EM_YARA_NODE_REMAINDER
        case .bitAnd: return EM_YARA_NODE_BIT_AND
        case .bitOr: return EM_YARA_NODE_BIT_OR
        case .bitXor: return EM_YARA_NODE_BIT_XOR
        case .shiftLeft: return EM_YARA_NODE_SHIFT_LEFT
        case .shiftRight: return EM_YARA_NODE_SHIFT_RIGHT
        case .equal: return EM_YARA_NODE_EQUAL
        case .notEqual: return EM_YARA_NODE_NOT_EQUAL
        case .less: return EM_YARA_NODE_LESS
        case .lessOrEqual: return EM_YARA_NODE_LESS_OR_EQUAL
        case .greater: return EM_YARA_NODE_GREATER
        case .greaterOrEqual: return EM_YARA_NODE_GREATER_OR_EQUAL
        case .contains: return EM_YARA_NODE_CONTAINS
        case .icontains: return EM_YARA_NODE_ICONTAINS
        case .startswith: return EM_YARA_NODE_STARTSWITH
        case .istartswith: return EM_YARA_NODE_ISTARTSWITH
        case .endswith: return EM_YARA_NODE_ENDSWITH
        case .iendswith: return EM_YARA_NODE_IENDSWITH
        case .iequals: return EM_YARA_NODE_IEQUALS
        case .matches: return EM_YARA_NODE_MATCHES
        }
    }
}
