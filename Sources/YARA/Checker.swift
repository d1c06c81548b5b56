/// Resolves names and checks types of the rules of one file.
package struct Checker {
    /// Names of what the scan knows, besides the modules.
    private static let externals: Set<String> = [
        "filename", "filepath", "extension", "filetype", "owner", "file_name", "file_path", "file_type",
    ]
    /// Nested loops, as YARA allows them.
    private static let loopLimit = 4

    private var rules: [String: Int] = [:]
    private var names: [String] = []
    private let imports: Set<String>

    // Of the rule at hand.
    private var strings: [StringDefinition] = []
    private var used: [Bool] = []
    private var scopes: [(name: String, binding: Resolved)] = []
    private var loops: [LoopKind] = []
    private var variables = 0
    private var mostVariables = 0

    private enum LoopKind: Equatable {
        case strings(variable: Int)
        case values
    }

    /// Checks all rules of a file.
    ///
    /// - Returns: those that can be compiled, in their order, and what is wrong with the others.
    package static func check(_ file: RuleFile) -> (rules: [CheckedRule], errors: [YARAError]) {
        var errors = file.errors
        var imports: Set<String> = []
        for (module, _) in file.imports {
            imports.insert(module)
        }
        var checker = Checker(imports: imports)
        var result: [CheckedRule] = []
        for rule in file.rules {
            do throws(YARAError) {
                let checked = try checker.check(rule)
                checker.rules[rule.name] = result.count
                checker.names.append(rule.name)
                result.append(checked)
            } catch {
                errors.append(error)
            }
        }
        return (result, errors)
    }

    private init(imports: Set<String>) {
        self.imports = imports
    }

    private mutating func check(_ rule: Rule) throws(YARAError) -> CheckedRule {
        guard rules[rule.name] == nil else { throw YARAError(at: rule.place, "a rule defined twice") }
        strings = rule.strings
        used = [Bool](repeating: false, count: strings.count)
        scopes = []
        loops = []
        variables = 0
        mostVariables = 0
        let condition = try boolean(rule.condition)
        if let unused = used.firstIndex(of: false), !strings[unused].name.hasPrefix("_") {
            throw YARAError(at: strings[unused].place, "a string that the condition does not use")
        }
        return CheckedRule(
            name: rule.name, place: rule.place, isPrivate: rule.isPrivate, isGlobal: rule.isGlobal, tags: rule.tags,
            meta: rule.meta, strings: rule.strings, condition: condition, variables: mostVariables)
    }

    // MARK: - Expressions by wanted type

    private typealias Typed = (term: Term, type: ValueType)

    /// Any value counts as true when it is not 0, empty or undefined.
    private mutating func boolean(_ expression: Expression) throws(YARAError) -> Term {
        let (term, type) = try value(expression)
        if type == .regex { throw YARAError(at: expression.place, "a regular expression as a condition") }
        return term
    }

    private mutating func integer(_ expression: Expression) throws(YARAError) -> Term {
        let (term, type) = try value(expression)
        guard type.isInteger else { throw YARAError(at: expression.place, "what is no integer, where one must be") }
        return term
    }

    private mutating func value(_ expression: Expression) throws(YARAError) -> Typed {
        let place = expression.place
        switch expression.kind {
        case .boolean(let value): return (.boolean(value), .boolean)
        case .integer(let value): return (.integer(value), .integer)
        case .double(let value): return (.double(value), .double)
        case .text(let text): return (.text(text), .text)
        case .regex(let regex): return (.regex(regex), .regex)
        case .filesize: return (.filesize, .integer)
        case .entrypoint: return (.entrypoint, .integer)
        case .name, .member, .index, .call:
            guard case .value(let term, let type) = try resolve(expression) else {
                throw YARAError(at: place, "a structure, array or function in place of a value")
            }
            return (term, type)
        case .unary(let op, let operand): return try unary(op, operand)
        case .binary(let op, let left, let right): return try binary(op, left, right, place)
        case .and(let parts): return (.and(try all(parts)), .boolean)
        case .or(let parts): return (.or(try all(parts)), .boolean)
        case .read(let reading, let offset): return (.read(reading, try integer(offset)), .integer)
        case .string, .count, .offset, .length: return try ofString(expression)
        case .stringsOf(let quantifier, let set, let position):
            let members = try members(of: set, place)
            let condition = try position.map { position throws(YARAError) in try self.position(position) }
            return (.stringsOf(try check(quantifier, place), members, condition), .boolean)
        case .rulesOf(let quantifier, let names):
            return (.anyOf(try check(quantifier, place), try ruleSet(names, place)), .boolean)
        case .forStrings(let quantifier, let set, let body):
            return (try forStrings(quantifier, set, body, place), .boolean)
        case .forValues(let quantifier, let names, let iterator, let body):
            return (try forValues(quantifier, names, iterator, body, place), .boolean)
        }
    }

    private mutating func all(_ parts: [Expression]) throws(YARAError) -> [Term] {
        var terms: [Term] = []
        for part in parts { terms.append(try boolean(part)) }
        return terms
    }

    // MARK: - Operators

    private mutating func unary(_ op: UnaryOperator, _ operand: Expression) throws(YARAError) -> Typed {
        switch op {
        case .not: return (.unary(.not, try boolean(operand)), .boolean)
        case .defined: return (.unary(.defined, try boolean(operand)), .boolean)
        case .complement: return (.unary(.complement, try integer(operand)), .integer)
        case .negate:
            let (term, type) = try value(operand)
            guard type.isNumber else { throw YARAError(at: operand.place, "a sign before what is no number") }
            if case .integer(let number) = term, number != .min { return (.integer(-number), .integer) }
            return (.unary(.negate, term), type)
        }
    }

    private mutating func binary(
        _ op: BinaryOperator, _ left: Expression, _ right: Expression, _ place: SourcePlace
    ) throws(YARAError) -> Typed {
        let (a, b) = (try value(left), try value(right))
        let term = Term.binary(op, a.term, b.term)
        func fail() -> YARAError { YARAError(at: place, "operands of types that do not fit the operator") }
        switch op {
        case .add, .subtract, .multiply, .divide:
            guard a.type.isNumber, b.type.isNumber else { throw fail() }
            if op == .divide, case .integer(0) = b.term { throw YARAError(at: right.place, "a division by zero") }
            if a.type == .unknown || b.type == .unknown { return (term, .unknown) }
            return (term, a.type == .double || b.type == .double ? .double : .integer)
        case .remainder, .bitAnd, .bitOr, .bitXor, .shiftLeft, .shiftRight:
            guard a.type.isInteger, b.type.isInteger else { throw fail() }
            if op == .remainder, case .integer(0) = b.term { throw YARAError(at: right.place, "a division by zero") }
            if op == .shiftLeft || op == .shiftRight, case .integer(let count) = b.term, count < 0 {
                throw YARAError(at: right.place, "a shift by less than nothing")
            }
            return (term, .integer)
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual:
            guard (a.type.isNumber && b.type.isNumber) || (a.type.isText && b.type.isText) else { throw fail() }
            return (term, .boolean)
        case .contains, .icontains, .startswith, .istartswith, .endswith, .iendswith, .iequals:
            guard a.type.isText, b.type.isText else { throw fail() }
            return (term, .boolean)
        case .matches:
            guard a.type.isText, b.type == .regex else { throw fail() }
            return (term, .boolean)
        }
    }

    private mutating func check(
        _ quantifier: Expression.Quantifier, _ place: SourcePlace
    ) throws(YARAError) -> Term.Quantifier {
        switch quantifier {
        case .all: return .all
        case .any: return .any
        case .none: return .none
        case .count(let count): return .count(try integer(count))
        case .percentage(let count):
            let term = try integer(count)
            if case .integer(let number) = term, !(1...100).contains(number) {
                throw YARAError(at: place, "a percentage that is not from 1 to 100")
            }
            return .percentage(term)
        }
    }

    // MARK: - Strings

    private mutating func reference(_ name: String, _ place: SourcePlace) throws(YARAError) -> Term.StringReference {
        guard !name.isEmpty else {
            for loop in loops.reversed() {
                if case .strings(let variable) = loop { return .variable(variable) }
            }
            throw YARAError(at: place, "a string without a name outside of a loop over strings")
        }
        guard let index = strings.firstIndex(where: { $0.name == name }) else {
            throw YARAError(at: place, "a string that the rule does not define")
        }
        used[index] = true
        return .string(index)
    }

    private mutating func position(_ position: Expression.Place) throws(YARAError) -> Term.Where {
        switch position {
        case .at(let offset): return .at(try integer(offset))
        case .range(let low, let high): return .range(try integer(low), try integer(high))
        }
    }

    private mutating func ofString(_ expression: Expression) throws(YARAError) -> Typed {
        switch expression.kind {
        case .string(let name, let position):
            let string = try reference(name, expression.place)
            switch try position.map({ position throws(YARAError) in try self.position(position) }) {
            case nil: return (.found(string), .boolean)
            case .at(let offset): return (.foundAt(string, offset), .boolean)
            case .range(let low, let high): return (.foundIn(string, low, high), .boolean)
            }
        case .count(let name, let position):
            let string = try reference(name, expression.place)
            guard case .range(let low, let high)? = position else { return (.count(string), .integer) }
            return (.countIn(string, try integer(low), try integer(high)), .integer)
        case .offset(let name, let index):
            let string = try reference(name, expression.place)
            return (
                .offset(string, try index.map { index throws(YARAError) in try integer(index) } ?? .integer(1)),
                .integer
            )
        case .length(let name, let index):
            let string = try reference(name, expression.place)
            return (
                .length(string, try index.map { index throws(YARAError) in try integer(index) } ?? .integer(1)),
                .integer
            )
        default: throw YARAError(at: expression.place, "no string")
        }
    }

    private mutating func members(of set: Expression.StringSet, _ place: SourcePlace) throws(YARAError) -> [Int] {
        var result: [Int] = []
        switch set {
        case .them: result = Array(strings.indices)
        case .names(let names):
            for name in names {
                let found = strings.indices.filter { index in
                    name.hasSuffix("*")
                        ? strings[index].name.hasPrefix(name.dropLast()) : strings[index].name == name && !name.isEmpty
                }
                guard !found.isEmpty else { throw YARAError(at: place, "a string that the rule does not define") }
                result += found
            }
        }
        guard !result.isEmpty else { throw YARAError(at: place, "strings of a rule that has none") }
        for index in result { used[index] = true }
        return result
    }

    private func ruleSet(_ patterns: [String], _ place: SourcePlace) throws(YARAError) -> [Term] {
        var result: [Term] = []
        for pattern in patterns {
            let found = names.indices.filter {
                pattern.hasSuffix("*") ? names[$0].hasPrefix(pattern.dropLast()) : names[$0] == pattern
            }
            guard !found.isEmpty else {
                throw YARAError(at: place, "a rule that is not defined before, or has an error")
            }
            result += found.map { .rule($0) }
        }
        return result
    }

    // MARK: - Loops

    private mutating func enter<T>(
        _ kind: LoopKind, _ place: SourcePlace, variables count: Int,
        _ body: (inout Checker) throws(YARAError) -> T
    ) throws(YARAError) -> T {
        guard loops.count < Self.loopLimit else { throw YARAError(at: place, "more than four loops in each other") }
        let scope = scopes.count
        loops.append(kind)
        variables += count
        mostVariables = max(mostVariables, variables)
        defer {
            loops.removeLast()
            variables -= count
            scopes.removeLast(scopes.count - scope)
        }
        return try body(&self)
    }

    private mutating func forStrings(
        _ quantifier: Expression.Quantifier, _ set: Expression.StringSet, _ body: Expression, _ place: SourcePlace
    ) throws(YARAError) -> Term {
        let checked = try check(quantifier, place)
        let members = try members(of: set, place)
        let variable = variables
        return try enter(.strings(variable: variable), place, variables: 1) { checker throws(YARAError) in
            .forStrings(checked, variable: variable, members, try checker.boolean(body))
        }
    }

    private mutating func forValues(
        _ quantifier: Expression.Quantifier, _ names: [String], _ iterator: Expression.Iterator, _ body: Expression,
        _ place: SourcePlace
    ) throws(YARAError) -> Term {
        let checked = try check(quantifier, place)
        let variable = variables
        func expectNames(_ count: Int) throws(YARAError) {
            guard names.count == count else { throw YARAError(at: place, "a loop with too many or too few variables") }
        }
        switch iterator {
        case .range(let low, let high):
            try expectNames(1)
            let (first, last) = (try integer(low), try integer(high))
            return try enter(.values, place, variables: 1) { checker throws(YARAError) in
                checker.scopes.append((names[0], .value(.variable(variable), .integer)))
                return .forRange(checked, variable: variable, first, last, try checker.boolean(body))
            }
        case .list(let list):
            try expectNames(1)
            var terms: [Term] = []
            var type: ValueType?
            for item in list {
                let (term, itsType) = try value(item)
                guard itsType == .integer || itsType == .text, type == nil || type == itsType else {
                    throw YARAError(at: item.place, "a list of values that are neither all integers nor all texts")
                }
                type = itsType
                terms.append(term)
            }
            return try enter(.values, place, variables: 1) { checker throws(YARAError) in
                checker.scopes.append((names[0], .value(.variable(variable), type ?? .integer)))
                return .forList(checked, variable: variable, terms, try checker.boolean(body))
            }
        case .collection(let collection):
            guard case .container(let path, let indexes, let entry) = try resolve(collection) else {
                throw YARAError(at: collection.place, "a loop over what is no array or dictionary")
            }
            let last = Term.binary(.subtract, .field(path + "#count", indexes: indexes), .integer(1))
            let element = indexes + [Term.variable(variable)]
            return try enter(.values, place, variables: 1) { checker throws(YARAError) in
                switch entry {
                case .array:
                    try expectNames(1)
                    checker.scopes.append((names[0], Self.element(path, element)))
                case .dictionary:
                    try expectNames(2)
                    checker.scopes.append((names[0], .value(.field(path + "#key", indexes: element), .text)))
                    checker.scopes.append((names[1], .value(.field(path + "#value", indexes: element), .text)))
                default: throw YARAError(at: collection.place, "a loop over what is no array or dictionary")
                }
                return .forRange(checked, variable: variable, .integer(0), last, try checker.boolean(body))
            }
        }
    }

    // MARK: - Names

    private indirect enum Resolved {
        case value(Term, ValueType)
        case container(String, [Term], Schema.Entry)
        /// Of a module that only the scanner knows.
        case foreign(String)
    }

    private static func element(_ path: String, _ indexes: [Term]) -> Resolved {
        if case .value(let type)? = Schema.shared[path + "#"] {
            return .value(.field(path, indexes: indexes), type)
        }
        return .container(path, indexes, .object)
    }

    private mutating func resolve(_ expression: Expression) throws(YARAError) -> Resolved {
        let place = expression.place
        switch expression.kind {
        case .name(let name):
            if let scope = scopes.last(where: { $0.name == name }) { return scope.binding }
            if imports.contains(name) {
                if Schema.missing.contains(name) { throw YARAError(.unsupported, at: place, "the module \(name)") }
                return Schema.modules.contains(name) ? .container(name, [], .object) : .foreign(name)
            }
            if Self.externals.contains(name) { return .value(.external(name), .text) }
            if let index = rules[name] { return .value(.rule(index), .boolean) }
            throw YARAError(at: place, "an unknown name: \(name)")
        case .member(let base, let member):
            switch try resolve(base) {
            case .value: throw YARAError(at: place, "a value has no fields: \(member)")
            case .foreign(let path): return .foreign("\(path).\(member)")
            case .container(let path, let indexes, .object):
                let full = "\(path).\(member)"
                if Schema.missingFields.contains(full) { throw YARAError(.unsupported, at: place, "the field \(full)") }
                guard let entry = Schema.shared[full] else { throw YARAError(at: place, "an unknown field: \(full)") }
                switch entry {
                case .value(let type): return .value(.field(full, indexes: indexes), type)
                case .constant(let value): return .value(.integer(value), .integer)
                default: return .container(full, indexes, entry)
                }
            default: throw YARAError(at: place, "an array, dictionary or function has no fields: \(member)")
            }
        case .index(let base, let index):
            guard case .container(let path, let indexes, let entry) = try resolve(base) else {
                throw YARAError(at: place, "an index to what is no array")
            }
            switch entry {
            case .array: return Self.element(path, indexes + [try integer(index)])
            case .dictionary:
                let (term, type) = try value(index)
                guard type.isText else { throw YARAError(at: index.place, "a key that is no text") }
                return Self.element(path, indexes + [term])
            default: throw YARAError(at: place, "an index to what is no array")
            }
        case .call(let base, let arguments): return try call(base, arguments, place)
        default: throw YARAError(at: place, "no name")
        }
    }

    private mutating func call(
        _ base: Expression, _ arguments: [Expression], _ place: SourcePlace
    ) throws(YARAError) -> Resolved {
        let function = try resolve(base)
        var terms: [Term] = []
        var types = ""
        for argument in arguments {
            let (term, type) = try value(argument)
            terms.append(term)
            types += type.letter
        }
        switch function {
        case .foreign(let path):
            guard !types.contains("r"), !types.contains("?") else {
                throw YARAError(.unsupported, at: place, "a regular expression as an argument of a foreign function")
            }
            return .value(.call(path, signature: "?(\(types))", arguments: terms), .unknown)
        case .container(let path, let indexes, .function(let overloads)):
            for overload in overloads where overload.dropFirst(2).dropLast() == types {
                guard let letter = overload.first, let type = ValueType(letter: letter) else { continue }
                return .value(.call(path, signature: overload, arguments: indexes + terms), type)
            }
            // Integers go where floats are wanted.
            for overload in overloads where Self.fits(types, overload.dropFirst(2).dropLast()) {
                guard let letter = overload.first, let type = ValueType(letter: letter) else { continue }
                return .value(.call(path, signature: overload, arguments: indexes + terms), type)
            }
            throw YARAError(at: place, "arguments that the function does not take: \(path)(\(types))")
        default: throw YARAError(at: place, "a call of what is no function")
        }
    }

    private static func fits(_ types: String, _ wanted: Substring) -> Bool {
        types.count == wanted.count
            && zip(types, wanted).allSatisfy { $0 == $1 || $0 == "?" || ($0 == "i" && $1 == "f") }
    }
}
