extension Decision {
    /// One line for the sending side, printable ASCII of at most 200 characters, without a reply code: what happened
    /// and why. It goes to senders, who may be forged, so it says no more than the name of the threat.
    package var replyText: String {
        let text =
            switch (action, basis) {
            case (.accept, _), (.discard, _): "Message accepted"
            case (.defer, .unavailable): "Message deferred: the scanner is not available, try again later"
            case (.defer, .quarantineFailed): "Message deferred: local storage problem, try again later"
            case (.defer, .infected), (.defer, .deleted): "Message deferred: infected with \(virus)"
            case (.defer, .notScanned), (.defer, .crashed): "Message deferred: it could not be scanned"
            case (.defer, .spam): "Message deferred: judged spam"
            case (.defer, _): "Message deferred by local policy, try again later"
            case (.reject, .infected), (.reject, .deleted): "Message rejected: infected with \(virus)"
            case (.reject, .notScanned), (.reject, .crashed): "Message rejected: it could not be scanned"
            case (.reject, .spam): "Message rejected: judged spam"
            case (.reject, _): "Message rejected by local policy"
            }
        return String(decoding: SafeText.ascii(SafeText.line(text, limit: 190)), as: UTF8.self)
    }

    /// What was done, for the log field `action`: "", "cleaned by deleting", "retained".
    package var logAction: String {
        if !removals.isEmpty { return "cleaned by deleting" }
        return threats.isEmpty ? "" : "retained"
    }

    /// More about it, for the log field `info`: why something was not scanned.
    package var logInfo: String { notScanned.joined(separator: ", ") }
}
