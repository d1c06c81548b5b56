import Bytes

/// The service extensions that a server announced in its reply to EHLO (RFC 5321 section 4.1.1.1).
package struct Extensions: Sendable, Equatable {
    /// Keywords in capitals and what follows each, word by word.
    package private(set) var parameters: [[UInt8]: [[UInt8]]] = [:]
    // What is asked for each message is looked up once.
    /// Whether PIPELINING (RFC 2920) was announced.
    package private(set) var pipelining = false
    /// Largest message the server takes, in octets (RFC 1870); nil when it names no limit.
    package private(set) var maximumSize: UInt64?
    /// The XFORWARD attributes that the server takes.
    package private(set) var xforward: Set<XForward.Attribute> = []

    /// None: the server only knows HELO.
    package init() {}

    /// Reads an EHLO reply. The first line is the greeting; lines that break the grammar are passed over.
    package init(reply: Reply) {
        for line in reply.lines.dropFirst() {
            line.withUnsafeBufferPointer { buffer in
                var words: [[UInt8]] = []
                var rest = ByteView(buffer).trimmed
                while !rest.isEmpty {
                    let end = rest.firstIndex(of: 0x20) ?? rest.count
                    words.append(capitals(rest.prefix(end)))
                    rest = rest.dropFirst(end).trimmed
                }
                guard var keyword = words.first else { return }
                // "AUTH=LOGIN" is an old spelling of "AUTH LOGIN" that servers still add for old clients.
                if keyword.starts(with: Array("AUTH=".utf8)) { keyword = Array("AUTH".utf8) }
                guard keyword.withUnsafeBufferPointer({ isKeyword(ByteView($0)) }) else { return }
                if parameters[keyword] == nil { parameters[keyword] = Array(words.dropFirst()) }
            }
        }
        pipelining = has("PIPELINING")
        if let text = parameters[Array("SIZE".utf8)]?.first {
            maximumSize = text.withUnsafeBufferPointer { decimal(ByteView($0)) }.flatMap { $0 == 0 ? nil : $0 }
        }
        let attributes = parameters[Array("XFORWARD".utf8)] ?? []
        xforward = Set(attributes.compactMap { XForward.Attribute(rawValue: String(decoding: $0, as: UTF8.self)) })
    }

    /// Whether a keyword (in capitals) was announced.
    package func has(_ keyword: String) -> Bool { parameters[Array(keyword.utf8)] != nil }

    /// The authentication mechanisms that can be relayed: those that neither protect the rest of the connection
    /// (DIGEST-MD5, GSSAPI: we could not read on) nor bind to the TLS channel (…-PLUS: there are two channels).
    package var relayableMechanisms: [[UInt8]] {
        (parameters[Array("AUTH".utf8)] ?? []).filter { Self.simpleMechanisms.contains($0) }
    }

    private static let simpleMechanisms: Set<[UInt8]> = Set(
        ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512", "XOAUTH2", "OAUTHBEARER"]
            .map { Array($0.utf8) })
}

/// What a proxy announces to its client: what both the next hop and the proxy can do, and nothing else.
///
/// Never offered, whatever the next hop says: CHUNKING and BINARYMIME (content only passes through DATA), PIPECONNECT
/// (we cannot promise for a next hop that is not connected yet), XCLIENT, ETRN, and any keyword not known here.
package struct Offer: Sendable, Equatable {
    /// Largest message in octets; 0 = no limit.
    package var maximumSize: UInt64 = 0
    /// Whether we have a certificate and the connection is still in clear text.
    package var startTLS = false
    /// Mechanisms that may be relayed; empty hides AUTH.
    package var mechanisms: [[UInt8]] = []
    /// Whether XFORWARD is accepted from this client.
    package var xforward = false

    package init() {}

    /// Keywords without parameters, or with the next hop's own, that are passed on when the next hop has them. Each
    /// of them only adds parameters to MAIL and RCPT, which are relayed byte for byte, or changes only replies.
    private static let transparent = ["8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES", "DELIVERBY", "MT-PRIORITY"]

    /// The reply to EHLO.
    /// - Parameters:
    ///   - greeting: the first line of the next hop's own reply. Ours repeats it, because a mail server that
    ///     uses us as its filter takes its own host name there for a loop.
    ///   - nextHop: what the next hop announced.
    /// - Returns: a 250 reply.
    package func reply(greeting: [UInt8], nextHop: Extensions) -> Reply {
        // PIPELINING needs nothing of the next hop: we count its replies either way.
        var lines: [[UInt8]] = [greeting, Array("PIPELINING".utf8)]
        lines.append(Array((announcedSize(nextHop) == 0 ? "SIZE" : "SIZE \(announcedSize(nextHop))").utf8))
        for keyword in Self.transparent {
            guard let words = nextHop.parameters[Array(keyword.utf8)] else { continue }
            lines.append(words.reduce(Array(keyword.utf8)) { $0 + [0x20] + $1 })
        }
        if startTLS { lines.append(Array("STARTTLS".utf8)) }
        if !mechanisms.isEmpty { lines.append(mechanisms.reduce(Array("AUTH".utf8)) { $0 + [0x20] + $1 }) }
        if xforward {
            let names = XForward.Attribute.allCases.map(\.rawValue).joined(separator: " ")
            lines.append(Array("XFORWARD \(names)".utf8))
        }
        return Reply(code: 250, lines: lines)
    }

    /// The smaller of both limits; 0 = neither has one.
    package func announcedSize(_ nextHop: Extensions) -> UInt64 {
        guard let other = nextHop.maximumSize else { return maximumSize }
        return maximumSize == 0 ? other : min(maximumSize, other)
    }
}
