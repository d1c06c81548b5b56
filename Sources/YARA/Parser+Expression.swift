/// Conditions, by precedence: or, and, not, equality, order, |, ^, &, shifts, sums, products, signs.
extension Parser {
    mutating func expression() throws(YARAError) -> Expression {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else {
            throw YARAError(.unsupported, at: token.place, "a condition of more than 100 levels")
        }
        let place = token.place
        var parts = [try conjunction()]
        while try take(.or) { parts.append(try conjunction()) }
        return parts.count == 1 ? parts[0] : Expression(place, .or(parts))
    }

    private mutating func conjunction() throws(YARAError) -> Expression {
        let place = token.place
        var parts = [try negation()]
        while try take(.and) { parts.append(try negation()) }
        return parts.count == 1 ? parts[0] : Expression(place, .and(parts))
    }

    private mutating func negation() throws(YARAError) -> Expression {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else {
            throw YARAError(.unsupported, at: token.place, "a condition of more than 100 levels")
        }
        let place = token.place
        if try take(.not) { return Expression(place, .unary(.not, try negation())) }
        if try take(.defined) { return Expression(place, .unary(.defined, try negation())) }
        return try equality()
    }

    private var equalityOperator: BinaryOperator? {
        switch token.kind {
        case .symbol("=="): return .equal
        case .symbol("!="): return .notEqual
        case .keyword(.contains): return .contains
        case .keyword(.icontains): return .icontains
        case .keyword(.startswith): return .startswith
        case .keyword(.istartswith): return .istartswith
        case .keyword(.endswith): return .endswith
        case .keyword(.iendswith): return .iendswith
        case .keyword(.iequals): return .iequals
        case .keyword(.matches): return .matches
        default: return nil
        }
    }

    private mutating func equality() throws(YARAError) -> Expression {
        var left = try ordered()
        while let found = equalityOperator {
            try advance()
            left = Expression(left.place, .binary(found, left, try ordered()))
        }
        return left
    }

    private mutating func ordered() throws(YARAError) -> Expression {
        var left = try bits(0)
        while true {
            let found: BinaryOperator
            switch token.kind {
            case .symbol("<"): found = .less
            case .symbol("<="): found = .lessOrEqual
            case .symbol(">"): found = .greater
            case .symbol(">="): found = .greaterOrEqual
            default: return left
            }
            try advance()
            left = Expression(left.place, .binary(found, left, try bits(0)))
        }
    }

    /// Operators of integers by level, loosest first.
    private static let levels: [[String: BinaryOperator]] = [
        ["|": .bitOr], ["^": .bitXor], ["&": .bitAnd], ["<<": .shiftLeft, ">>": .shiftRight],
        ["+": .add, "-": .subtract], ["*": .multiply, "\\": .divide, "%": .remainder],
    ]

    /// An operand of a comparison; a number may turn out to be the quantifier of `of`.
    private mutating func bits(_ level: Int) throws(YARAError) -> Expression {
        guard level < Self.levels.count else { return try sign() }
        var left = try bits(level + 1)
        while case .symbol(let text) = token.kind, let found = Self.levels[level][text] {
            if found == .remainder, try peek().kind == .keyword(.of) { break }
            try advance()
            left = Expression(left.place, .binary(found, left, try bits(level + 1)))
        }
        guard level == 0 else { return left }
        if isKeyword(.of) { return try selection(.count(left), left.place) }
        if isSymbol("%") {
            try advance()
            return try selection(.percentage(left), left.place)
        }
        return left
    }

    private mutating func sign() throws(YARAError) -> Expression {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else {
            throw YARAError(.unsupported, at: token.place, "a condition of more than 100 levels")
        }
        let place = token.place
        if try take("-") { return Expression(place, .unary(.negate, try sign())) }
        if try take("~") { return Expression(place, .unary(.complement, try sign())) }
        return try primary()
    }

    // MARK: - Operands

    private mutating func primary() throws(YARAError) -> Expression {
        let place = token.place
        switch token.kind {
        case .symbol("("):
            try advance()
            let inner = try expression()
            try expect(")")
            return inner
        case .integer(let value):
            try advance()
            return Expression(place, .integer(value))
        case .double(let value):
            try advance()
            return Expression(place, .double(value))
        case .text(let text):
            try advance()
            return Expression(place, .text(text))
        case .regex(let pattern, let ignoresCase, let dotMatchesAll):
            let regex = try RegexParser.parse(
                pattern, ignoresCase: ignoresCase, dotMatchesAll: dotMatchesAll, at: place)
            try advance()
            return Expression(place, .regex(regex))
        case .identifier(let name):
            try advance()
            return try suffixes(Expression(place, .name(name)))
        case .string(let name):
            try advance()
            return Expression(place, .string(name, try whereIt()))
        case .count(let name):
            try advance()
            if isKeyword(.inRange) {
                return Expression(place, .count(name, in: try whereIt()))
            }
            return Expression(place, .count(name, in: nil))
        case .offset(let name):
            try advance()
            return Expression(place, .offset(name, try occurrence()))
        case .length(let name):
            try advance()
            return Expression(place, .length(name, try occurrence()))
        case .keyword(let word): return try keyword(word, place)
        default: throw unexpected("an operand is missing")
        }
    }

    private mutating func keyword(_ word: Keyword, _ place: SourcePlace) throws(YARAError) -> Expression {
        switch word {
        case .trueValue, .falseValue:
            try advance()
            return Expression(place, .boolean(word == .trueValue))
        case .filesize:
            try advance()
            return Expression(place, .filesize)
        case .entrypoint:
            try advance()
            return Expression(place, .entrypoint)
        case .all, .any, .none:
            try advance()
            return try selection(word == .all ? .all : word == .any ? .any : .none, place)
        case .forLoop: return try loop()
        default:
            guard let reading = Self.readings[word] else { throw unexpected("an operand is missing") }
            try advance()
            try expect("(")
            let offset = try expression()
            try expect(")")
            return Expression(place, .read(reading, offset))
        }
    }

    private static let readings: [Keyword: IntegerReading] = [
        .int8: IntegerReading(size: 1, isSigned: true, isBigEndian: false),
        .int16: IntegerReading(size: 2, isSigned: true, isBigEndian: false),
        .int32: IntegerReading(size: 4, isSigned: true, isBigEndian: false),
        .uint8: IntegerReading(size: 1, isSigned: false, isBigEndian: false),
        .uint16: IntegerReading(size: 2, isSigned: false, isBigEndian: false),
        .uint32: IntegerReading(size: 4, isSigned: false, isBigEndian: false),
        .int8be: IntegerReading(size: 1, isSigned: true, isBigEndian: true),
        .int16be: IntegerReading(size: 2, isSigned: true, isBigEndian: true),
        .int32be: IntegerReading(size: 4, isSigned: true, isBigEndian: true),
        .uint8be: IntegerReading(size: 1, isSigned: false, isBigEndian: true),
        .uint16be: IntegerReading(size: 2, isSigned: false, isBigEndian: true),
        .uint32be: IntegerReading(size: 4, isSigned: false, isBigEndian: true),
    ]

    /// `.member`, `[index]` and `(arguments)` behind a name.
    private mutating func suffixes(_ start: Expression) throws(YARAError) -> Expression {
        var result = start
        var count = 0
        while true {
            count += 1
            guard count < 32 else { throw unexpected("a name of more than 32 parts") }
            if try take(".") {
                result = Expression(start.place, .member(result, try name()))
            } else if try take("[") {
                let index = try expression()
                try expect("]")
                result = Expression(start.place, .index(result, index))
            } else if try take("(") {
                var arguments: [Expression] = []
                if !isSymbol(")") {
                    repeat { arguments.append(try expression()) } while try take(",")
                }
                try expect(")")
                result = Expression(start.place, .call(result, arguments))
            } else {
                return result
            }
        }
    }

    private mutating func occurrence() throws(YARAError) -> Expression? {
        guard try take("[") else { return nil }
        let index = try expression()
        try expect("]")
        return index
    }

    private mutating func whereIt() throws(YARAError) -> Expression.Place? {
        if try take(.at) { return .at(try bits(0)) }
        guard try take(.inRange) else { return nil }
        let (low, high) = try range()
        return .range(low, high)
    }

    private mutating func range() throws(YARAError) -> (Expression, Expression) {
        try expect("(")
        let low = try expression()
        try expect("..")
        let high = try expression()
        try expect(")")
        return (low, high)
    }

    // MARK: - Sets and loops

    /// `of …` behind its quantifier.
    private mutating func selection(
        _ quantifier: Expression.Quantifier, _ place: SourcePlace
    ) throws(YARAError) -> Expression {
        guard try take(.of) else { throw unexpected("the word of is missing") }
        if isSymbol("("), case .identifier = try peek().kind {
            try advance()
            var names: [String] = []
            repeat {
                var name = try name()
                if try take("*") { name += "*" }
                names.append(name)
            } while try take(",")
            try expect(")")
            return Expression(place, .rulesOf(quantifier, names))
        }
        let set = try stringSet()
        return Expression(place, .stringsOf(quantifier, set, try whereIt()))
    }

    private mutating func stringSet() throws(YARAError) -> Expression.StringSet {
        if try take(.them) { return .them }
        try expect("(")
        var names: [String] = []
        repeat {
            guard case .string(let name) = token.kind else { throw unexpected("a string is missing") }
            names.append(name)
            try advance()
        } while try take(",")
        try expect(")")
        return .names(names)
    }

    private mutating func loop() throws(YARAError) -> Expression {
        let place = token.place
        try advance()
        let quantifier: Expression.Quantifier
        if try take(.all) {
            quantifier = .all
        } else if try take(.any) {
            quantifier = .any
        } else if try take(.none) {
            quantifier = .none
        } else {
            // `50% of`, but also `50 % 7 of`: the number is a single operand.
            let count = try sign()
            quantifier = try take("%") ? .percentage(count) : .count(count)
        }
        if try take(.of) {
            let set = try stringSet()
            return Expression(place, .forStrings(quantifier, set, try body()))
        }
        var names = [try name()]
        while try take(",") { names.append(try name()) }
        guard try take(.inRange) else { throw unexpected("the word in is missing") }
        let iterator = try iterator()
        return Expression(place, .forValues(quantifier, names, iterator, try body()))
    }

    private mutating func iterator() throws(YARAError) -> Expression.Iterator {
        guard isSymbol("(") else { return .collection(try sign()) }
        try advance()
        let first = try expression()
        if try take("..") {
            let last = try expression()
            try expect(")")
            return .range(first, last)
        }
        var list = [first]
        while try take(",") { list.append(try expression()) }
        try expect(")")
        return .list(list)
    }

    private mutating func body() throws(YARAError) -> Expression {
        try expect(":")
        try expect("(")
        let body = try expression()
        try expect(")")
        return body
    }
}
