import Foundation
import Platform
import SMTP
import SMTPAgent
import ScanProtocol
import TLS
import Testing

/// A self-signed certificate, made once.
private struct Certificate: Sendable {
    let chain: String
    let key: String

    static var shared: Certificate {
        get throws { try made.get() }
    }

    private static let made = Result<Certificate, any Error> {
        let folder = NSTemporaryDirectory() + "esets-smtp-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let made = Certificate(chain: folder + "/chain.pem", key: folder + "/key.pem")
        let openssl = Process()
        openssl.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        openssl.arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
            "/CN=mx.example.org", "-keyout", made.key, "-out", made.chain,
        ]
        openssl.standardError = FileHandle.nullDevice
        try openssl.run()
        openssl.waitUntilExit()
        guard openssl.terminationStatus == 0 else { throw Missing() }
        return made
    }

    func server() throws -> TLSServerContext { try TLSServerContext(certificate: chain, key: key) }

    /// Certificate and key in one.
    var pem: [UInt8] {
        get throws { try Files.read(chain) + Files.read(key) }
    }
}

private let withCertificate = "tls_cert_file = \"@ETCDIR@/certs/smtp.pem\"\n"

@Suite struct TLSTests {
    private func behaviour(tls: Bool = true) throws -> FakeHop.Behaviour {
        var behaviour = FakeHop.Behaviour()
        if tls { behaviour.tls = try Certificate.shared.server() }
        return behaviour
    }

    @Test(arguments: ["may", "encrypt"])
    func towardsTheNextHop(policy: String) async throws {
        let harness = try Harness(more: "tls_server = \"\(policy)\"\n", hop: try behaviour())
        let reply = try await harness.client { client in
            try await client.hello()
            return try await client.deliver("x\r\n")
        }
        await harness.stop()
        #expect(reply == "250 2.0.0 queued as X")
        #expect(
            harness.hop.seen.lines.prefix(6) == [
                "CONNECT", "EHLO client.example", "STARTTLS", "ENCRYPTED", "EHLO client.example",
                "MAIL FROM:<s@example.com>",
            ])
    }

    @Test func demandedAndNotOffered() async throws {
        let harness = try Harness(more: "tls_server = \"encrypt\"\n", hop: try behaviour(tls: false))
        let reply = try await harness.client { client in
            _ = try await client.reply()
            return try await client.ask("EHLO x")
        }
        await harness.stop()
        #expect(reply.hasPrefix("421"))
        #expect(!harness.hop.seen.lines.contains { $0.hasPrefix("MAIL") })
    }

    @Test(arguments: ["may", "encrypt"])
    func brokenHandshake(policy: String) async throws {
        var behaviour = FakeHop.Behaviour()
        behaviour.breaksTLS = true
        let harness = try Harness(more: "tls_server = \"\(policy)\"\n", hop: behaviour)
        let reply = try await harness.client { client in
            _ = try await client.reply()
            let hello = try await client.ask("EHLO x")
            return hello.hasPrefix("250") ? try await client.deliver("x\r\n") : hello
        }
        await harness.stop()
        #expect(reply.hasPrefix(policy == "may" ? "250 2.0.0 queued" : "421"))
        #expect(harness.hop.seen.connections == (policy == "may" ? 2 : 1))
    }

    @Test func towardsTheClient() async throws {
        let harness = try Harness(more: withCertificate, hop: try behaviour(tls: false), pem: Certificate.shared.pem)
        let (hello, again, mail, reply) = try await harness.client { client in
            _ = try await client.reply()
            let hello = try await client.ask("EHLO client.example")
            _ = try await client.ask("STARTTLS")
            try await client.startTLS()
            let mail = try await client.ask("MAIL FROM:<s@example.com>")
            let again = try await client.ask("EHLO client.example")
            return (hello, again, mail, try await client.deliver("x\r\n"))
        }
        await harness.stop()
        #expect(hello.contains("STARTTLS"))
        #expect(!again.contains("STARTTLS"))
        #expect(mail.hasPrefix("503"))
        #expect(reply == "250 2.0.0 queued as X")
    }

    @Test func commandsInjectedBeforeTLS() async throws {
        let harness = try Harness(more: withCertificate, pem: Certificate.shared.pem)
        let (code, closed) = try await harness.client { client in
            try await client.hello()
            client.send("STARTTLS\r\nMAIL FROM:<evil@example.com>\r\n")
            return (try await client.reply().code, try await client.isClosedByServer())
        }
        await harness.stop()
        #expect(code == 421)
        #expect(closed)
        #expect(!harness.hop.seen.lines.contains { $0.hasPrefix("MAIL") })
    }

    @Test func aFilterHidesAuthentication() async throws {
        var behaviour = FakeHop.Behaviour()
        behaviour.keywords.append("AUTH PLAIN LOGIN")
        let harness = try Harness(hop: behaviour)
        let (hello, auth) = try await harness.client { client in
            _ = try await client.reply()
            return (try await client.ask("EHLO x"), try await client.ask("AUTH LOGIN"))
        }
        await harness.stop()
        #expect(!hello.contains("AUTH"))
        #expect(auth.hasPrefix("502"))
    }

    @Test func aTransparentProxyRelaysAuthentication() async throws {
        var behaviour = FakeHop.Behaviour()
        behaviour.keywords.append("AUTH PLAIN GSSAPI LOGIN")
        let harness = try Harness("", hop: behaviour, redirected: true)
        let replies = try await harness.client { client in
            _ = try await client.reply()
            var replies: [String] = []
            for line in ["EHLO x", "AUTH GSSAPI", "AUTH LOGIN", "*", "AUTH LOGIN dQ==", "cGFzcw==", "AUTH PLAIN"] {
                replies.append(try await client.ask(line))
            }
            return replies
        }
        await harness.stop()
        #expect(replies[0].contains("AUTH PLAIN LOGIN"))
        #expect(!replies[0].contains("GSSAPI"))
        #expect(!replies[0].contains("XFORWARD"))
        #expect(replies[1...].map { $0.prefix(3) } == ["504", "334", "501", "334", "235", "503"])
        #expect(
            harness.hop.seen.lines.dropFirst(2) == [
                "AUTH LOGIN", "RESPONSE *", "AUTH LOGIN dQ==", "RESPONSE cGFzcw==", "QUIT",
            ])
    }

    @Test func credentialsAreNotUncovered() async throws {
        var behaviour = FakeHop.Behaviour()
        behaviour.keywords.append("AUTH PLAIN")
        let harness = try Harness(withCertificate, hop: behaviour, pem: Certificate.shared.pem, redirected: true)
        let (before, after) = try await harness.client { client in
            _ = try await client.reply()
            let before = try await client.ask("EHLO x")
            _ = try await client.ask("STARTTLS")
            try await client.startTLS()
            return (before, try await client.ask("EHLO x"))
        }
        await harness.stop()
        #expect(before.contains("AUTH"))
        #expect(!after.contains("AUTH"))
    }

    @Test func aTransparentProxyRelays() async throws {
        let harness = try Harness("action_av = scan\n", redirected: true)
        let reply = try await harness.client { client in
            try await client.hello()
            return try await client.deliver("Subject: x\r\n\r\nx\r\n")
        }
        await harness.stop()
        #expect(reply == "250 2.0.0 queued as X")
        #expect(harness.scanner.calls.map(\.envelope.clientAddress) == ["127.0.0.1"])
        #expect(harness.scanner.calls.map(\.envelope.helo) == ["client.example"])
    }
}
