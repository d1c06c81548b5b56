package import Mail
package import ScanProtocol
import Synchronization

/// What one agent process has done since it began. Counted from every reactor.
package final class Counters: Sendable {
    /// A number that the manager adds up.
    package enum Key: Int, Sendable, CaseIterable {
        /// Objects: messages and the parts in them that were looked at, and what they were found to be.
        case scanned, error, infected, cleaned
        /// Messages judged spam.
        case spam
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

    /// Counts one, or several.
    package func count(_ key: Key, _ number: Int = 1) {
        if number > 0 { values.add(key.rawValue, UInt64(number)) }
    }

    /// Counts one message, with the parts that the scanner saw.
    package func count(_ decision: Decision, _ verdict: ScanVerdict?) {
        count(.messages)
        switch decision.action {
        case .accept: count(.accepted)
        case .defer: count(.deferred)
        case .discard: count(.discarded)
        case .reject: count(.rejected)
        }
        if let verdict {
            count(.scanned, Int(verdict.objectCount))
            count(.infected, Set(verdict.threats.map(\.object)).count)
            count(.error, Set(verdict.notScanned.map(\.object)).count)
        }
        count(.cleaned, decision.removals.count)
        if decision.basis == .unavailable || decision.basis == .quarantineFailed { count(.error) }
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
        func add(_ index: Int, _ number: UInt64) { numbers.withLock { $0[index] &+= number } }
        func load(_ index: Int) -> UInt64 { numbers.withLock { $0[index] } }
    }
}
