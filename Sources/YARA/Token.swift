/// A piece of a rule file.
struct Token: Equatable {
    enum Kind: Equatable {
        case end
        case identifier(String)
        case keyword(Keyword)
        case integer(Int64)
        case double(Double)
        case text([UInt8])
        case regex(pattern: [UInt8], ignoresCase: Bool, dotMatchesAll: Bool)
        /// `$name`, `#name`, `@name`, `!name`; a name may be empty, and end in `*` for `$`.
        case string(String)
        case count(String)
        case offset(String)
        case length(String)
        /// Operators and brackets: `==`, `<<`, `..`, `(` …
        case symbol(String)
    }

    let kind: Kind
    let place: SourcePlace
}

/// Words that cannot be names.
enum Keyword: String, CaseIterable {
    case all, and, any, ascii, at, base64, base64wide, condition, contains, defined, endswith, entrypoint, filesize
    case falseValue = "false"
    case forLoop = "for"
    case fullword, global, icontains, iendswith, iequals
    case importModule = "import"
    case inRange = "in"
    case include, int16, int16be, int32, int32be, int8, int8be, istartswith, matches, meta, nocase, none, not, of, or
    case privateRule = "private"
    case rule, startswith, strings, them
    case trueValue = "true"
    case uint16, uint16be, uint32, uint32be, uint8, uint8be, wide, xor

    static let byName: [String: Keyword] = Dictionary(uniqueKeysWithValues: allCases.map { ($0.rawValue, $0) })
}
