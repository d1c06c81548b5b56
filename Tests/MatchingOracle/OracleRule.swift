/// A logical signature, how it is written, and its plain meaning.
package struct OracleRule {
    package indirect enum Expression {
        case part(Int)
        case counted(Int, Character, Int)
        case both(Expression, Expression)
        case either(Expression, Expression)
        /// A block in parentheses whose matches, and different parts, are counted.
        case block(Expression, Character, Int, Int)
    }

    package let parts: [OraclePattern]
    package let expression: Expression

    package init(parts: [OraclePattern], expression: Expression) {
        self.parts = parts
        self.expression = expression
    }

    // MARK: - As text

    /// The line of an .ldb file.
    package func line(name: String) -> String {
        let bodies = parts.map { part in
            var letters = ""
            if part.ignoresCase { letters += "i" }
            if part.wide { letters += "w" }
            if part.fullword { letters += "f" }
            return (part.offset == "*" ? "" : part.offset + ":") + part.text + (letters.isEmpty ? "" : "::" + letters)
        }
        return "\(name);Engine:81-255,Target:0;\(Self.text(expression));" + bodies.joined(separator: ";")
    }

    private static func text(_ expression: Expression) -> String {
        switch expression {
        case .part(let number): return "\(number)"
        case .counted(let number, let symbol, let count): return "\(number)\(symbol)\(count)"
        case .both(let left, let right): return "(\(text(left))&\(text(right)))"
        case .either(let left, let right): return "(\(text(left))|\(text(right)))"
        case .block(let inside, let symbol, let count, let parts):
            return text(inside) + "\(symbol)\(count)" + (parts > 0 ? ",\(parts)" : "")
        }
    }

    // MARK: - As meaning

    package func isTrue(_ object: [UInt8]) -> Bool {
        let counts = parts.map { $0.places(object).count }
        return value(expression, counts).holds
    }

    private func value(_ expression: Expression, _ counts: [Int]) -> (holds: Bool, count: Int, parts: Set<Int>) {
        let no = (holds: false, count: 0, parts: Set<Int>())
        switch expression {
        case .part(let number): return counts[number] > 0 ? (true, counts[number], [number]) : no
        case .counted(let number, let symbol, let count):
            return Self.compare(counts[number], symbol, count) ? (true, counts[number], [number]) : no
        case .both(let left, let right):
            let (a, b) = (value(left, counts), value(right, counts))
            return a.holds && b.holds ? (true, a.count + b.count, a.parts.union(b.parts)) : no
        case .either(let left, let right):
            let (a, b) = (value(left, counts), value(right, counts))
            return a.holds || b.holds ? (true, a.count + b.count, a.parts.union(b.parts)) : no
        case .block(let inside, let symbol, let count, let parts):
            let found = value(inside, counts)
            let holds = Self.compare(found.count, symbol, count) && found.parts.count >= parts
            return holds ? (true, found.count, []) : no
        }
    }

    private static func compare(_ value: Int, _ symbol: Character, _ count: Int) -> Bool {
        symbol == "=" ? value == count : symbol == "<" ? value < count : value > count
    }
}
