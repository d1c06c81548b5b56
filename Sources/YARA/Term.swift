/// A checked condition: names are resolved and types agree.
package indirect enum Term: Sendable {
    case boolean(Bool)
    case integer(Int64)
    case double(Double)
    case text([UInt8])
    case regex(Regex)
    case filesize
    case entrypoint
    /// What the scan knows about the object: filename, extension …
    case external(String)
    /// A variable of a loop.
    case variable(Int)
    case unary(UnaryOperator, Term)
    case binary(BinaryOperator, Term, Term)
    case and([Term])
    case or([Term])
    case read(IntegerReading, Term)
    /// A field of a module: "pe.sections.name" and the indexes of arrays and dictionaries on the way.
    case field(String, indexes: [Term])
    /// A function of a module; `signature` has its parameters and result, e.g. "b(is)".
    case call(String, signature: String, arguments: [Term])
    /// The result of a rule of the same file, by its index among the checked rules.
    case rule(Int)
    case found(StringReference)
    case foundAt(StringReference, Term)
    case foundIn(StringReference, Term, Term)
    case count(StringReference)
    case countIn(StringReference, Term, Term)
    case offset(StringReference, Term)
    case length(StringReference, Term)
    /// Of the rule's strings; the place counts for each.
    case stringsOf(Quantifier, [Int], Where?)
    case anyOf(Quantifier, [Term])
    /// `variable` goes through the strings.
    case forStrings(Quantifier, variable: Int, [Int], Term)
    case forRange(Quantifier, variable: Int, Term, Term, Term)
    case forList(Quantifier, variable: Int, [Term], Term)

    package enum StringReference: Sendable, Equatable {
        /// Index among the rule's strings.
        case string(Int)
        /// The string at hand of a loop, by its variable.
        case variable(Int)
    }

    package indirect enum Where: Sendable {
        case at(Term)
        case range(Term, Term)
    }

    package indirect enum Quantifier: Sendable {
        case all, any, none
        case count(Term)
        case percentage(Term)
    }
}

/// A rule that can be compiled.
package struct CheckedRule: Sendable {
    package let name: String
    package let place: SourcePlace
    package let isPrivate: Bool
    package let isGlobal: Bool
    package let tags: [String]
    package let meta: [(name: String, value: MetaValue)]
    package let strings: [StringDefinition]
    package let condition: Term
    /// Variables of loops that are in use at once.
    package let variables: Int
}
