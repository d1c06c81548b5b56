package import Mail
package import SMTP
package import ScanProtocol

/// What happened to one message, for the log and whoever else listens.
package struct MessageSummary: Sendable {
    /// Number of the session, for the tag of log lines.
    package var session: UInt32
    package var decision: Decision
    /// nil when it was not scanned.
    package var verdict: ScanVerdict?
    package var sender: String
    package var recipients: [String]
    package var clientAddress: String?
    /// Bytes, as received.
    package var size: UInt64
    /// The reply that the client got.
    package var reply: Reply
}

/// Where a session tells what happens. Called on reactors; must not block for long.
package struct AgentEvents: Sendable {
    /// How much a text matters.
    package enum Level: Sendable {
        case error, warning, info, debug
    }
    /// Level, number of the session (0 for none), text.
    package var text: @Sendable (Level, UInt32, String) -> Void
    package var message: @Sendable (MessageSummary) -> Void

    package init(
        text: @escaping @Sendable (Level, UInt32, String) -> Void, message: @escaping @Sendable (MessageSummary) -> Void
    ) {
        self.text = text
        self.message = message
    }
}
