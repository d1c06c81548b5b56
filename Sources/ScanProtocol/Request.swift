import Synchronization

/// What to scan with: scanner options by their esets.cfg name. Values are whole numbers (yes = 1, no = 0,
/// bytes, seconds) or text. What is not given has the default of the scanner.
package struct ScanOptions: Sendable, Equatable {
    package var numbers: [String: Int64] { didSet { memo = Memo() } }
    package var texts: [String: String] { didSet { memo = Memo() } }
    /// What was worked out from these values; copies share it, because the same options go with very many messages.
    private var memo = Memo()

    package init(numbers: [String: Int64] = [:], texts: [String: String] = [:]) {
        self.numbers = numbers
        self.texts = texts
    }

    package static func == (left: ScanOptions, right: ScanOptions) -> Bool {
        left.memo === right.memo || left.numbers == right.numbers && left.texts == right.texts
    }

    private final class Memo: Sendable {
        let wire = Mutex<[UInt8]?>(nil)
        let derived = Mutex<(any AnyObject & Sendable)?>(nil)
    }

    /// The encoded form, made at the first use.
    func wire(_ make: () -> [UInt8]) -> [UInt8] {
        memo.wire.withLock { known in
            if let known { return known }
            let made = make()
            known = made
            return made
        }
    }

    /// What the one consumer in this process makes of the options, made at the first use.
    package func derived<T: AnyObject & Sendable>(_ make: () -> T) -> T {
        memo.derived.withLock { known in
            if let known = known as? T { return known }
            let made = make()
            known = made
            return made
        }
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
