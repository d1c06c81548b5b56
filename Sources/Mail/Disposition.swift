package import Configuration

/// What happens to an object in the end. The raw value is the exit code of `esets_cli` and `esets_pipe`,
/// and grows with severity: the strictest of several dispositions is their maximum.
package enum Disposition: UInt8, Sendable, Comparable, CaseIterable {
    /// It goes on to the recipient.
    case accept = 0
    /// The sending side keeps it and tries again later.
    case `defer` = 1
    /// It is dropped; the sending side believes that it was delivered.
    case discard = 2
    /// It is refused; the sending side is told.
    case reject = 3

    /// The end that an action of esets.cfg is; nil for `scan`, which is none.
    package init?(_ action: Action) {
        switch action {
        case .scan: return nil
        case .accept: self = .accept
        case .defer: self = .defer
        case .discard: self = .discard
        case .reject: self = .reject
        }
    }

    package static func < (a: Disposition, b: Disposition) -> Bool { a.rawValue < b.rawValue }

    /// As esets.cfg writes it: "accept", "defer", "discard", "reject".
    package var keyword: String {
        switch self {
        case .accept: "accept"
        case .defer: "defer"
        case .discard: "discard"
        case .reject: "reject"
        }
    }

    /// As logs and `esets_cli` write it: "accepted", "deferred", "discarded", "rejected".
    package var pastTense: String {
        switch self {
        case .accept: "accepted"
        case .defer: "deferred"
        case .discard: "discarded"
        case .reject: "rejected"
        }
    }
}
