import SMTP
import SMTPAgent
import Testing

/// Connections to the next hop that serve several sessions.
@Suite struct KeptHopTests {
    private static let sessions = 10

    /// Sessions one after another, a message each; what each was answered.
    private func deliver(
        _ harness: Harness, helo: @escaping @Sendable (Int) -> String = { _ in "client.example" },
        before: String? = nil
    ) async throws -> [String] {
        var replies: [String] = []
        for number in 1...Self.sessions {
            let reply = try await harness.client { client in
                _ = try await client.reply()
                _ = try await client.ask("EHLO \(helo(number))")
                if let before { _ = try await client.ask(before) }
                let reply = try await client.deliver("\(number)\r\n")
                _ = try? await client.ask("QUIT")
                return reply
            }
            replies.append(reply)
        }
        return replies
    }

    private let bodies = (1...sessions).map { "\($0)\r\n" }
    private let accepted = [String](repeating: "250 2.0.0 queued as X", count: sessions)
    /// A connection is kept however slow the machine is.
    private static var patient: Timeouts {
        var timeouts = Timeouts()
        timeouts.keepHop = 60
        return timeouts
    }

    @Test func servesTheNextSessions() async throws {
        let harness = try Harness(timeouts: Self.patient)
        let replies = try await deliver(harness)
        await harness.stop()
        let seen = harness.hop.seen
        #expect(replies == accepted)
        #expect(seen.messages == bodies)
        #expect(seen.connections <= Self.sessions / 2)
        #expect(seen.lines.count { $0 == "EHLO client.example" } == seen.connections)
        #expect(seen.lines.count { $0 == "QUIT" } == seen.connections)
    }

    @Test func everySessionSaysItsOwnHello() async throws {
        let harness = try Harness(timeouts: Self.patient)
        let replies = try await deliver(harness, helo: { "client\($0).example" })
        await harness.stop()
        let seen = harness.hop.seen
        #expect(replies == accepted)
        #expect(seen.messages == bodies)
        #expect(seen.connections <= Self.sessions / 2)
        for number in 1...Self.sessions { #expect(seen.lines.contains("EHLO client\(number).example")) }
    }

    @Test func forwardedAttributesEndWithTheSession() async throws {
        let harness = try Harness()
        let replies = try await deliver(harness, before: "XFORWARD ADDR=192.0.2.7")
        await harness.stop()
        #expect(replies == accepted)
        #expect(harness.hop.seen.lines.count { $0 == "EHLO client.example" } == Self.sessions)
    }

    /// Whatever the next hop does with kept connections, each message arrives once.
    @Test(arguments: ["MAIL", "RCPT", "DATA", "EHLO"])
    func diesBeforeTheMessage(verb: String) async throws {
        var behaviour = FakeHop.Behaviour()
        behaviour.hangUpOnSecond = verb
        let harness = try Harness(hop: behaviour)
        let replies = try await deliver(harness, helo: { verb == "EHLO" ? "client\($0).example" : "client.example" })
        await harness.stop()
        let seen = harness.hop.seen
        #expect(seen.messages == zip(bodies, replies).filter { $1.hasPrefix("250") }.map(\.0))
        // After MAIL the client has been told something about this connection: it hears of its loss.
        #expect(replies.allSatisfy { $0.hasPrefix("250") } || verb == "RCPT")
    }

    @Test func endsAfterEachMessage() async throws {
        var behaviour = FakeHop.Behaviour()
        behaviour.closesAfterEachMessage = true
        let harness = try Harness(hop: behaviour)
        let replies = try await deliver(harness)
        await harness.stop()
        #expect(replies == accepted)
        #expect(harness.hop.seen.messages == bodies)
    }

    @Test func refusedSomething() async throws {
        var behaviour = FakeHop.Behaviour()
        behaviour.final = "550 5.7.1 no"
        let harness = try Harness(hop: behaviour)
        let replies = try await deliver(harness)
        await harness.stop()
        #expect(replies == [String](repeating: "550 5.7.1 no", count: Self.sessions))
        #expect(harness.hop.seen.connections == Self.sessions)
    }

    @Test func notForRedirectedClients() async throws {
        let harness = try Harness("av_eml_header_modification = no\n", redirected: true)
        _ = try await deliver(harness)
        await harness.stop()
        #expect(harness.hop.seen.connections == Self.sessions)
    }
}
