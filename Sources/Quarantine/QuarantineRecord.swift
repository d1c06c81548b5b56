/// Why and from where one object came into quarantine. All texts are shown to people and stored on one line.
package struct QuarantineRecord: Sendable, Equatable {
    /// Seconds since 1970.
    package var time: UInt64
    /// Name of the object: a path, a subject, a queue id.
    package var name: String
    /// Bytes of the content.
    package var size: UInt64
    package var virus: String
    /// Section name of the agent: "smtp", "cli" …
    package var agent: String
    /// Reverse path; empty if none or unknown.
    package var sender: String
    package var recipients: [String]
    /// SHA-256 of the content, 64 hexadecimal digits. (The id is its SHA-1.)
    package var hash: String
    package var reason: String

    package init(
        time: UInt64, name: String, virus: String = "", agent: String, sender: String = "", recipients: [String] = [],
        reason: String = "", size: UInt64 = 0, hash: String = ""
    ) {
        self.time = time
        self.name = name
        self.size = size
        self.virus = virus
        self.agent = agent
        self.sender = sender
        self.recipients = recipients
        self.hash = hash
        self.reason = reason
    }

    /// `Key: value` lines, as in the `.inf` file. Control characters and backslashes are escaped.
    var text: String {
        var result = """
            Time: \(time)
            Name: \(Self.escaped(name))
            Size: \(size)
            Virus: \(Self.escaped(virus))
            Agent: \(Self.escaped(agent))
            From: \(Self.escaped(sender))

            """
        for recipient in recipients { result += "To: \(Self.escaped(recipient))\n" }
        return result + "Hash: \(Self.escaped(hash))\nReason: \(Self.escaped(reason))\n"
    }

    /// Reads the records of an `.inf` file: blocks with an empty line between. Unknown keys and damaged lines are
    /// passed over, a block without a time is none.
    static func parse(_ text: String) -> [QuarantineRecord] {
        var records: [QuarantineRecord] = []
        var current: QuarantineRecord?
        func number(_ value: String) -> UInt64 { UInt64(value) ?? 0 }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.isEmpty {
                if let record = current { records.append(record) }
                current = nil
                continue
            }
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = unescaped(line[line.index(after: colon)...].drop { $0 == " " })
            if line[..<colon] == "Time" {
                current = QuarantineRecord(time: number(value), name: "", agent: "")
                continue
            }
            switch line[..<colon] {
            case "Name": current?.name = value
            case "Size": current?.size = number(value)
            case "Virus": current?.virus = value
            case "Agent": current?.agent = value
            case "From": current?.sender = value
            case "To": current?.recipients.append(value)
            case "Hash": current?.hash = value
            case "Reason": current?.reason = value
            default: break
            }
        }
        if let record = current { records.append(record) }
        return records
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars.prefix(4096) {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default: result.unicodeScalars.append(scalar.value < 0x20 || scalar.value == 0x7F ? "?" : scalar)
            }
        }
        return result
    }

    private static func unescaped(_ text: Substring) -> String {
        var result = String.UnicodeScalarView()
        var isEscape = false
        for scalar in text.unicodeScalars {
            if isEscape {
                isEscape = false
                switch scalar {
                case "n": result.append("\n")
                case "r": result.append("\r")
                case "t": result.append("\t")
                default: result.append(scalar)
                }
            } else if scalar == "\\" {
                isEscape = true
            } else {
                result.append(scalar)
            }
        }
        return String(result)
    }
}
