/// A rule as it is written.
package struct Rule {
    package let name: String
    package let place: SourcePlace
    package let isPrivate: Bool
    package let isGlobal: Bool
    package let tags: [String]
    package let meta: [(name: String, value: MetaValue)]
    package let strings: [StringDefinition]
    let condition: Expression
}

/// What a rule says about itself.
package enum MetaValue: Sendable, Equatable {
    case integer(Int64)
    case boolean(Bool)
    case text([UInt8])
}

/// A string of a rule.
package struct StringDefinition: Sendable {
    /// Without `$`; empty for anonymous ones.
    package let name: String
    package let place: SourcePlace
    package let content: Content
    package let modifiers: StringModifiers

    package enum Content: Sendable {
        case text([UInt8])
        case hex(Regex)
        case regex(Regex)
    }
}

/// The modifiers behind a string.
package struct StringModifiers: Sendable, Equatable {
    package var ascii = false
    package var wide = false
    package var nocase = false
    package var fullword = false
    package var isPrivate = false
    /// The keys of `xor`.
    package var xor: ClosedRange<UInt8>?
    package var base64 = false
    package var base64wide = false
    /// 64 bytes when the rule brings an alphabet of its own.
    package var alphabet: [UInt8] = []

    package init() {}
}

/// An expression of a condition, with the place of its first token.
struct Expression {
    let place: SourcePlace
    let kind: Kind

    init(_ place: SourcePlace, _ kind: Kind) {
        self.place = place
        self.kind = kind
    }

    indirect enum Kind {
        case boolean(Bool)
        case integer(Int64)
        case double(Double)
        case text([UInt8])
        case regex(Regex)
        case filesize
        case entrypoint
        case name(String)
        case member(Expression, String)
        case index(Expression, Expression)
        case call(Expression, [Expression])
        case unary(UnaryOperator, Expression)
        case binary(BinaryOperator, Expression, Expression)
        case and([Expression])
        case or([Expression])
        case read(IntegerReading, Expression)
        /// `$a`, with where it must be.
        case string(String, Place?)
        case count(String, in: Place?)
        case offset(String, Expression?)
        case length(String, Expression?)
        case stringsOf(Quantifier, StringSet, Place?)
        case rulesOf(Quantifier, [String])
        case forStrings(Quantifier, StringSet, Expression)
        case forValues(Quantifier, [String], Iterator, Expression)
    }

    /// `at x` or `in (x..y)`.
    indirect enum Place {
        case at(Expression)
        case range(Expression, Expression)
    }

    /// How many of a set.
    indirect enum Quantifier {
        case all, any, none
        case count(Expression)
        case percentage(Expression)
    }

    enum StringSet {
        case them
        /// Names, perhaps with `*` at their end.
        case names([String])
    }

    enum Iterator {
        case range(Expression, Expression)
        case list([Expression])
        /// An array or dictionary of a module.
        case collection(Expression)
    }
}

package enum UnaryOperator: Sendable { case negate, complement, not, defined }

package enum BinaryOperator: Sendable {
    case add, subtract, multiply, divide, remainder
    case bitAnd, bitOr, bitXor, shiftLeft, shiftRight
    case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
    case contains, icontains, startswith, istartswith, endswith, iendswith, iequals, matches
}

/// `uint16be(x)` and its kin.
package struct IntegerReading: Sendable, Equatable {
    /// Bytes: 1, 2 or 4.
    package let size: Int
    package let isSigned: Bool
    package let isBigEndian: Bool
}
