package import Mail
import Synchronization

/// What one agent process has done since it began. Counted from every reactor.
package final class Counters: Sendable {
    /// A number that the manager adds up.
    package enum Key: Int, Sendable, CaseIterable {
        /// Objects (messages) looked at, and those among them that were found to be something.
        case scanned, error, infected, cleaned, spam
        /// Messages by what happened to them.
        case accepted, deferred, discarded, rejected
        /// Messages by antispam category.
        case asHam, asLikelyHam, asLikelySpam, asSpam
        case sessions, messages

        /// The key of the statistics (reference: `scanned: n`).
        package var name: String {
            switch self {
            case .scanned: "scanned"
            case .error: "error"
            case .infected: "infected"
            case .cleaned: "cleaned"
            case .spam: "spam"
            case .accepted: "accepted"
            case .deferred: "deferred"
            case .discarded: "discarded"
            case .rejected: "rejected"
            case .asHam: "as_ham"
            case .asLikelyHam: "as_likely_ham"
            case .asLikelySpam: "as_likely_spam"
            case .asSpam: "as_spam"
            case .sessions: "sessions"
            case .messages: "messages"
            }
        }
    }

    private let values = Values()

    package init() {}

    /// Counts one.
    package func count(_ key: Key) { values.add(key.rawValue) }

    /// Counts one message by its decision.
    package func count(_ decision: Decision) {
        count(.messages)
        switch decision.action {
        case .accept: count(.accepted)
        case .defer: count(.deferred)
        case .discard: count(.discarded)
        case .reject: count(.rejected)
        }
        switch decision.antivirus {
        case .infected: count(.infected)
        case .cleaned, .deleted: count(.cleaned)
        case .notScanned: count(.error)
        case .clean, nil: break
        }
        if decision.basis == .unavailable || decision.basis == .quarantineFailed { count(.error) }
        if decision.antivirus != nil || decision.antispam != nil { count(.scanned) }
        switch decision.antispam {
        case .ham: count(.asHam)
        case .likelyHam: count(.asLikelyHam)
        case .likelySpam: count(.asLikelySpam)
        case .spam:
            count(.asSpam)
            count(.spam)
        case nil: break
        }
    }

    /// The present numbers by name.
    package var snapshot: [String: UInt64] {
        Dictionary(uniqueKeysWithValues: Key.allCases.map { ($0.name, values.load($0.rawValue)) })
    }

    /// The number of one key.
    package subscript(key: Key) -> UInt64 { values.load(key.rawValue) }

    /// One lock for the few additions per message.
    private final class Values: Sendable {
        private let numbers = Mutex([UInt64](repeating: 0, count: Key.allCases.count))
        func add(_ index: Int) { numbers.withLock { $0[index] &+= 1 } }
        func load(_ index: Int) -> UInt64 { numbers.withLock { $0[index] } }
    }
}
