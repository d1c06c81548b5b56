/// The limits of the scanning protocol. Both sides check them before they allocate.
package enum WireLimits {
    /// One packet of the SOCK_SEQPACKET socket, its header included.
    package static let packet = 65_536
    /// type, flags, request id.
    package static let header = 8
    /// The body of one message to the scanner or to the manager, all its packets together.
    package static let request = 4 << 20
    /// The body of one message to a client.
    package static let reply = 8 << 20
    /// An object that travels within its request.
    package static let content = 65_536
    /// One text: a name, an option, a recipient.
    package static let text = 65_535
    /// One question's key.
    package static let key = 1_024
    /// One answer's text.
    package static let answer = 65_535
    /// Questions in one ASK, answers in one ANSWERS.
    package static let questions = 4_096
    /// One line of a status or a log.
    package static let line = 4_096
    /// Findings, and objects, of one verdict.
    package static let findings = 4_096
    /// Bytes of each text in a verdict: longer ones are cut by the encoder.
    package static let verdictText = 256
}

/// Why bytes are not a message of the protocol. The connection they came from is closed.
package struct WireError: Error, Equatable, CustomStringConvertible {
    package enum Reason: Sendable, Equatable {
        case truncated, excess, tooLong, unknownMessage, badValue, outOfOrder
    }
    package let reason: Reason
    /// The field or the message, for the log.
    package let what: StaticString
    package static func == (a: WireError, b: WireError) -> Bool { a.reason == b.reason }

    package init(_ reason: Reason, _ what: StaticString) {
        self.reason = reason
        self.what = what
    }

    package var description: String {
        switch reason {
        case .truncated: "scanning protocol: the message ends inside \(what)"
        case .excess: "scanning protocol: bytes follow the end of \(what)"
        case .tooLong: "scanning protocol: \(what) is longer than allowed"
        case .unknownMessage: "scanning protocol: unknown \(what)"
        case .badValue: "scanning protocol: \(what) has a value that is not allowed"
        case .outOfOrder: "scanning protocol: \(what) is not expected here"
        }
    }
}
