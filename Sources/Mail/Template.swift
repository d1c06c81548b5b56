/// What the variables of the mail templates stand for. Everything is text for people; it is made safe when
/// a template is expanded.
package struct TemplateValues: Sendable, Equatable {
    package var antivirusStatus = ""
    package var antispamStatus = ""
    package var virus = ""
    package var score = ""
    package var version = ""
    package var database = ""
    package var sender = ""
    package var recipient = ""
    package var subject = ""
    /// Seconds since 1970; 0: no date.
    package var time: UInt64 = 0
    package var host = ""

    package init() {}

    /// - Parameters:
    ///   - decision: gives the statuses, the threats and the score.
    ///   - databaseVersion: of the virus signatures; 0 = none.
    ///   - productVersion: as it shall appear.
    ///   - sender: reverse path, if known.
    ///   - recipients: all whom this copy goes to.
    ///   - subject: decoded subject of the message.
    ///   - time: seconds since 1970.
    ///   - host: name of this machine.
    package init(
        _ decision: Decision, databaseVersion: UInt64, productVersion: String, sender: String?, recipients: [String],
        subject: String, time: UInt64, host: String
    ) {
        antivirusStatus = decision.antivirus?.text ?? ""
        antispamStatus = decision.antispam?.text ?? ""
        virus = decision.threats.joined(separator: ", ")
        score = decision.score.map(ScoreText.text) ?? ""
        version = productVersion
        database = databaseVersion == 0 ? "" : String(databaseVersion)
        self.sender = sender ?? ""
        recipient = recipients.joined(separator: ", ")
        self.subject = subject
        self.time = time
        self.host = host
    }

    /// The value of a variable, its name without the percent signs; nil when there is none of the name.
    func value(of name: some StringProtocol) -> String? {
        switch name {
        case "avstatus": antivirusStatus
        case "asstatus": antispamStatus
        case "virus", "VIRUSNAME": virus
        case "score": score
        case "version": version
        case "vdb": database
        case "sender": sender
        case "recipient": recipient
        case "subject": subject
        case "date": time == 0 ? "" : MailDate.text(seconds: time)
        case "host": host
        default: nil
        }
    }
}

/// A text of the administrator with variables: `%avstatus% %asstatus% %virus% %VIRUSNAME% %score% %version%
/// %vdb% %sender% %recipient% %subject% %date% %host%`, and `%%` for a percent sign. What is no variable
/// stays as it is.
package struct Template: Sendable, Equatable {
    package let text: String
    /// Whether the subject of the message is in it: else it need not be decoded.
    let namesSubject: Bool

    package init(_ text: String) {
        self.text = text
        namesSubject = text.contains("%subject%")
    }

    /// The text with each variable replaced by its value; a value is one line, whatever it holds, and is not
    /// expanded again.
    package func expanded(_ values: TemplateValues) -> String { Self.expand(text[...], values) }

    /// The same with a part of a template.
    static func expand(_ text: Substring, _ values: TemplateValues) -> String {
        var result = ""
        // By bytes: telling whole characters apart is costly.
        var rest = text
        while let percent = rest.utf8.firstIndex(of: 0x25) {
            result += rest[..<percent]
            let afterwards = rest[rest.utf8.index(after: percent)...]
            // Names are short: a text full of lone percent signs costs no more than its length.
            guard let end = afterwards.utf8.prefix(16).firstIndex(of: 0x25) else {
                result += "%"
                rest = afterwards
                continue
            }
            let name = afterwards[..<end]
            if name.isEmpty {
                result += "%"
                rest = afterwards[afterwards.utf8.index(after: end)...]
            } else if let value = values.value(of: name) {
                result += SafeText.line(value)
                rest = afterwards[afterwards.utf8.index(after: end)...]
            } else {
                // The second percent sign may begin a variable.
                result += "%" + name
                rest = afterwards[end...]
            }
        }
        return result + rest
    }
}

/// Scores as people read them.
enum ScoreText {
    /// At most one decimal: "97", "5.5".
    static func text(_ score: Double) -> String {
        guard score.isFinite else { return "0" }
        let tenths = Int64((max(-1e9, min(1e9, score)) * 10).rounded())
        let whole = "\(tenths < 0 ? "-" : "")\(tenths.magnitude / 10)"
        return tenths % 10 == 0 ? whole : "\(whole).\(tenths.magnitude % 10)"
    }
}
