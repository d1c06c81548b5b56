/// The types of values.
enum ValueType: Equatable, Sendable {
    case boolean, integer, double, text, regex
    /// The result of a function that only the scanner knows.
    case unknown

    /// The letter in type strings.
    var letter: String {
        switch self {
        case .boolean: return "b"
        case .integer: return "i"
        case .double: return "f"
        case .text: return "s"
        case .regex: return "r"
        case .unknown: return "?"
        }
    }

    init?(letter: Character) {
        switch letter {
        case "b": self = .boolean
        case "i": self = .integer
        case "f": self = .double
        case "s": self = .text
        case "r": self = .regex
        default: return nil
        }
    }

    var isNumber: Bool { self == .integer || self == .double || self == .unknown }
    var isInteger: Bool { self == .integer || self == .unknown }
    var isText: Bool { self == .text || self == .unknown }
}
