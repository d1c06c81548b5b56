package import ScanProtocol

/// What an agent tells the daemon for its statistics: how much of what, since it told last. The first of them
/// count objects (a message and what is in it), the others whole messages.
package struct ScanCounters: Sendable, Equatable {
    /// By name: scanned, error, infected, cleaned, spam, accepted, deferred, discarded, rejected, as_ham,
    /// as_likely_ham, as_likely_spam, as_spam. Zero values are left out.
    package private(set) var values: [String: UInt64] = [:]

    package init() {}

    /// Counts one message or file.
    /// - Parameters:
    ///   - decision: what became of it.
    ///   - verdict: what the scanner said; an empty one when it was not asked.
    package mutating func add(_ decision: Decision, _ verdict: ScanVerdict) {
        if decision.antivirus != nil || decision.antispam != nil { add("scanned", UInt64(verdict.objectCount)) }
        add("error", UInt64(Set(verdict.notScanned.map(\.object)).count))
        if decision.antivirus != nil { add("infected", UInt64(Set(verdict.threats.map(\.object)).count)) }
        add("cleaned", UInt64(decision.removals.count))
        add("spam", decision.antispam == .spam ? 1 : 0)
        add(decision.action.pastTense, 1)
        if let status = decision.antispam { add("as_\(status.rawValue)", 1) }
    }

    /// Counts an object that could not be scanned.
    package mutating func failed() { add("error", 1) }

    /// Takes everything out.
    package mutating func take() -> [String: UInt64] {
        defer { values = [:] }
        return values
    }

    private mutating func add(_ name: String, _ amount: UInt64) {
        if amount > 0 { values[name, default: 0] += amount }
    }
}
