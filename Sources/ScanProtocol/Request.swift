/// What to scan with: scanner options by their esets.cfg name. Values are whole numbers (yes = 1, no = 0,
/// bytes, seconds) or text. What is not given has the default of the scanner.
package struct ScanOptions: Sendable, Equatable {
    package var numbers: [String: Int64]
    package var texts: [String: String]

    package init(numbers: [String: Int64] = [:], texts: [String: String] = [:]) {
        self.numbers = numbers
        self.texts = texts
    }
}

/// What is known about a message beside its content.
package struct ScanEnvelope: Sendable, Equatable {
    /// Section name of the agent: "smtp", "pipe" …
    package var agent: String
    /// Reverse path without angle brackets; "" for the null sender; nil when unknown.
    package var sender: String?
    package var recipients: [String]
    /// Address of the SMTP client, e.g. "192.0.2.1", if known.
    package var clientAddress: String?
    /// Its HELO or EHLO name, if known.
    package var helo: String?

    package init(
        agent: String, sender: String? = nil, recipients: [String] = [], clientAddress: String? = nil,
        helo: String? = nil
    ) {
        self.agent = agent
        self.sender = sender
        self.recipients = recipients
        self.clientAddress = clientAddress
        self.helo = helo
    }
}
