import Bytes

/// One SMTP command, parsed.
package enum Command: Sendable, Equatable {
    case helo([UInt8])
    case ehlo([UInt8])
    case mail(MailCommand)
    case recipient(RecipientCommand)
    case data
    case xforward(XForward)
    case startTLS
    /// Mechanism in capitals, and the initial response (base64, or "=" for an empty one) when there is one.
    case auth(mechanism: [UInt8], initial: [UInt8]?)
    /// A chunk (RFC 3030), which we never offer. The session swallows its octets before this is reported.
    case bdat
    case reset
    case noop
    case verify([UInt8])
    case expand([UInt8])
    case help
    case quit
    case unknown([UInt8])
}

/// `MAIL FROM:<path> parameters`.
package struct MailCommand: Sendable, Equatable {
    package var path: Path
    package var parameters: [ESMTPParameter]

    package init(path: Path, parameters: [ESMTPParameter]) {
        self.path = path
        self.parameters = parameters
    }

    /// Octets that the client says the message has (RFC 1870).
    package var declaredSize: UInt64? {
        for parameter in parameters where parameter.named("SIZE") {
            return parameter.value.flatMap { $0.withUnsafeBufferPointer { decimal(.init($0)) } }
        }
        return nil
    }

    /// Whether it asks for something that only CHUNKING could carry (RFC 3030).
    package var needsBinary: Bool {
        parameters.contains { parameter in
            parameter.named("BODY")
                && parameter.value.map { $0.withUnsafeBufferPointer { capitals(.init($0)) } }
                    == Array("BINARYMIME".utf8)
        }
    }

    /// The command line as relayed: parameters byte for byte as received, ended by CRLF.
    /// - Parameter size: when given, takes the place of the client's SIZE, because the content changed.
    /// - Returns: the line.
    package func bytes(declaring size: UInt64? = nil) -> [UInt8] {
        var parts = parameters.map(\.raw)
        if let size {
            parts = parameters.filter { !$0.named("SIZE") }.map(\.raw)
            parts.append(Array("SIZE=\(size)".utf8))
        }
        return line(verb: "MAIL FROM:<", path: path, parameters: parts)
    }
}

/// `RCPT TO:<path> parameters`.
package struct RecipientCommand: Sendable, Equatable {
    package var path: Path
    package var parameters: [ESMTPParameter]

    package init(path: Path, parameters: [ESMTPParameter]) {
        self.path = path
        self.parameters = parameters
    }

    /// The command line as relayed, ended by CRLF.
    package var bytes: [UInt8] { line(verb: "RCPT TO:<", path: path, parameters: parameters.map(\.raw)) }
}

private func line(verb: StaticString, path: Path, parameters: [[UInt8]]) -> [UInt8] {
    var out = [UInt8](UnsafeBufferPointer(start: verb.utf8Start, count: verb.utf8CodeUnitCount))
    out += path.raw
    out.append(UInt8(ascii: ">"))
    for parameter in parameters {
        out.append(0x20)
        out += parameter
    }
    out += [0x0D, 0x0A]
    return out
}
