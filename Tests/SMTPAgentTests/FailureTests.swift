import Configuration
import EventLoop
import Platform
import SMTP
import SMTPAgent
import ScanProtocol
import Testing

@Suite struct FailureTests {
    @Test func nextHopThatHangsUpDuringTheScan() async throws {
        var behaviour = FakeHop.Behaviour()
        behaviour.hangUp[1] = "DATA"
        let harness = try Harness(hop: behaviour)
        let reply = try await harness.client { client in
            try await client.hello()
            _ = try await client.ask("XFORWARD ADDR=192.0.2.7")
            return try await client.deliver("x\r\n")
        }
        await harness.stop()
        #expect(reply == "250 2.0.0 queued as X")
        #expect(
            harness.hop.seen.lines == [
                "CONNECT", "EHLO client.example", "XFORWARD ADDR=192.0.2.7", "MAIL FROM:<s@example.com>",
                "RCPT TO:<r@example.com>", "DATA", "CONNECT", "EHLO client.example", "XFORWARD ADDR=192.0.2.7",
                "MAIL FROM:<s@example.com> SIZE=3", "RCPT TO:<r@example.com>", "DATA", "QUIT",
            ])
    }

    @Test func nextHopThatNoLongerTakesARecipient() async throws {
        var behaviour = FakeHop.Behaviour()
        behaviour.hangUp[1] = "DATA"
        let harness = try Harness(hop: behaviour)
        let reply = try await harness.client { client in
            try await client.hello()
            _ = try await client.ask("MAIL FROM:<s@example.com>")
            _ = try await client.ask("RCPT TO:<r@example.com>")
            harness.hop.refuse("r2@example.com", from: 2)
            _ = try await client.ask("RCPT TO:<r2@example.com>")
            _ = try await client.ask("DATA")
            return try await client.ask("x\r\n.")
        }
        await harness.stop()
        #expect(reply.hasPrefix("451"))
        #expect(harness.hop.seen.messages.isEmpty)
    }

    @Test("a message that the next hop refuses before its end is not delivered and sent again")
    func earlyRefusal() async throws {
        var behaviour = FakeHop.Behaviour()
        behaviour.early = "452 4.3.1 no room"
        let harness = try Harness(hop: behaviour)
        let line = String(repeating: "x", count: 1_998) + "\r\n"
        let reply = try await harness.client { client in
            try await client.hello()
            // More than the kernel keeps on the way.
            return try await client.deliver(String(repeating: line, count: 4_500))
        }
        await harness.stop()
        #expect(reply == "452 4.3.1 no room")
        #expect(harness.hop.seen.messages.isEmpty)
    }

    @Test("a message that comes too late for its client is not delivered")
    func tooLate() async throws {
        var timeouts = Timeouts()
        timeouts.latestEnd = 0
        let harness = try Harness(timeouts: timeouts)
        let reply = try await harness.client { client in
            try await client.hello()
            return try await client.deliver("x\r\n")
        }
        await harness.stop()
        #expect(reply.hasPrefix("451"))
        #expect(harness.hop.seen.messages.isEmpty)
    }

    @Test("a client whose MAIL is refused again and again is sent away")
    func refusedForEver() async throws {
        let harness = try Harness()
        let last = try await harness.client { client in
            try await client.hello()
            var reply = ""
            for _ in 0..<200 where !reply.hasPrefix("421") {
                reply = try await client.ask("MAIL FROM:<s@example.com> SIZE=99999999999")
            }
            return reply
        }
        await harness.stop()
        #expect(last.hasPrefix("421"))
    }

    @Test func nextHopThatHangsUpBetweenMessages() async throws {
        var behaviour = FakeHop.Behaviour()
        behaviour.hangUp[1] = "QUIT"
        behaviour.closesAfterMessage = true
        let harness = try Harness(hop: behaviour)
        let replies = try await harness.client { client in
            try await client.hello()
            return [try await client.deliver("1\r\n"), try await client.deliver("2\r\n")]
        }
        await harness.stop()
        #expect(replies == ["250 2.0.0 queued as X", "250 2.0.0 queued as X"])
        #expect(harness.hop.seen.messages == ["1\r\n", "2\r\n"])
        #expect(harness.hop.seen.connections == 2)
    }

    @Test(arguments: ["MAIL", "RCPT"])
    func nextHopThatHangsUpInTheEnvelope(verb: String) async throws {
        var behaviour = FakeHop.Behaviour()
        behaviour.hangUp[1] = verb
        let harness = try Harness(hop: behaviour)
        let reply = try await harness.client { client in
            try await client.hello()
            return try await client.deliver("x\r\n")
        }
        await harness.stop()
        #expect(reply.hasPrefix("421 4.4.2"))
        #expect(harness.hop.seen.messages.isEmpty)
    }

    @Test func unknownFateIsATemporaryError() async throws {
        var behaviour = FakeHop.Behaviour()
        behaviour.diesAtDot = true
        let harness = try Harness(hop: behaviour)
        let reply = try await harness.client { client in
            try await client.hello()
            return try await client.deliver("x\r\n")
        }
        await harness.stop()
        #expect(reply.hasPrefix("451 4.4.2"))
    }

    @Test func clientThatVanishesInTheContent() async throws {
        let harness = try Harness()
        try await harness.client { client in
            try await client.hello()
            _ = try await client.ask("MAIL FROM:<s@example.com>")
            _ = try await client.ask("RCPT TO:<r@example.com>")
            _ = try await client.ask("DATA")
            client.send("half a mess")
            try await client.stream.flush(deadline: .seconds(20))
        }
        await harness.stop()
        #expect(!harness.hop.seen.lines.contains("DATA"))
        #expect(harness.scanner.calls.isEmpty)
    }

    @Test(arguments: [true, false])
    func clientThatGivesUpDuringTheScan(givesUp: Bool) async throws {
        var timeouts = Timeouts()
        timeouts.longScan = 0
        let gate = Harness.Completed()
        let harness = try Harness(scanner: FakeScanner(gate: gate) { _ in .success(ScanVerdict()) }, timeouts: timeouts)
        let codes = try await harness.client { client in
            try await client.hello()
            client.send("MAIL FROM:<s@example.com>\r\nRCPT TO:<r@example.com>\r\nDATA\r\nx\r\n.\r\n")
            let codes = try await client.codes(3)
            if givesUp {
                client.stream.close()
                // The end arrives before the verdict.
                try await Task.sleep(for: .milliseconds(200))
                gate.finish()
                return codes
            }
            client.send("NOOP\r\n")
            try await client.stream.flush(deadline: .seconds(20))
            gate.finish()
            return codes + (try await client.codes(2))
        }
        await harness.stop()
        #expect(codes == [250, 250, 354] + (givesUp ? [] : [250, 250]))
        #expect(harness.hop.seen.messages == (givesUp ? [] : ["x\r\n"]))
    }

    @Test func silentClients() async throws {
        var timeouts = Timeouts()
        timeouts.command = 0
        let harness = try Harness(timeouts: timeouts)
        let codes = try await harness.client { client in
            let codes = try await client.codes(2)
            _ = try await client.isClosedByServer()
            return codes
        }
        await harness.stop()
        #expect(codes == [220, 421])
    }

    @Test func directConnectionsToATransparentProxy() async throws {
        let harness = try Harness("")
        let code = try await harness.client { try await $0.reply().code }
        await harness.stop()
        #expect(code == 421)
        #expect(harness.log.texts.contains { $0.contains("server_addr") })
        #expect(harness.hop.seen.connections == 0)
    }

    @Test func anAgentThatIsItsOwnNextHop() async throws {
        let harness = try Harness()
        let own = try Harness.settings(
            "server_addr = \"127.0.0.1\"\nserver_port = \(harness.port)\n", "", Paths(root: harness.root), 0)
        try harness.agent.reload(own)
        let code = try await harness.client { try await $0.reply().code }
        await harness.stop()
        #expect(code == 421)
        #expect(harness.hop.seen.connections == 0)
    }

    @Test func limitOfSessions() async throws {
        let harness = try Harness(more: "max_sessions = 1\n")
        let code = try await harness.client { first in
            _ = try await first.reply()
            return try await harness.client { try await $0.reply().code }
        }
        await harness.stop()
        #expect(code == 421)
    }

    @Test func stoppingEndsIdleSessionsAndLetsMessagesFinish() async throws {
        let harness = try Harness()
        let (idle, busy) = try await harness.client { idle in
            try await idle.hello()
            let busy = try await harness.client { busy in
                try await busy.hello()
                _ = try await busy.ask("MAIL FROM:<s@example.com>")
                _ = try await busy.ask("RCPT TO:<r@example.com>")
                _ = try await busy.ask("DATA")
                busy.send("half ")
                harness.agent.stop(grace: .seconds(20))
                // The idle session's farewell shows that the stop has begun.
                return (try await idle.reply().code, try await busy.ask("and half\r\n."))
            }
            return busy
        }
        await harness.agentEnded()
        await harness.stop()
        #expect(idle == 421)
        #expect(busy == "250 2.0.0 queued as X")
        #expect(harness.hop.seen.messages == ["half and half\r\n"])
    }

    @Test("an end waits for the answer to a message that the next hop has, and for nothing else")
    func stoppingWaitsForTheFinalReply() async throws {
        var behaviour = FakeHop.Behaviour()
        behaviour.finalTime = .milliseconds(700)
        let harness = try Harness(hop: behaviour)
        let replies = try await harness.client { first in
            try await harness.client { second in
                try await second.hello()
                _ = try await second.ask("MAIL FROM:<s@example.com>")
                _ = try await second.ask("RCPT TO:<r@example.com>")
                _ = try await second.ask("DATA")
                second.send("half a message\r\n")
                try await second.stream.flush(deadline: .seconds(20))
                try await first.hello()
                _ = try await first.ask("MAIL FROM:<s@example.com>")
                _ = try await first.ask("RCPT TO:<r@example.com>")
                _ = try await first.ask("DATA")
                first.send("x\r\n.\r\n")
                try await first.stream.flush(deadline: .seconds(20))
                while harness.hop.seen.messages.isEmpty { try await harness.reactor.sleep(until: .milliseconds(5)) }
                harness.agent.stop(grace: .zero, finalReply: .seconds(20))
                let cut = try await second.reply()
                let answered = try await first.reply()
                return [cut.code, answered.code]
            }
        }
        #expect(replies == [421, 250])
        await harness.stop()
        #expect(harness.hop.seen.messages == ["x\r\n"])
    }

    @Test func reloadCountsForNewSessions() async throws {
        let harness = try Harness()
        let next = try Harness.settings(
            "server_addr = \"127.0.0.1\"\nserver_port = HOP\naction_av = \"reject\"\n", "", Paths(root: harness.root),
            harness.hop.port)
        let (before, after) = try await harness.client { old in
            try await old.hello()
            try harness.agent.reload(next)
            let after = try await harness.client { new in
                try await new.hello()
                return try await new.deliver("x\r\n")
            }
            return (try await old.deliver("x\r\n"), after)
        }
        await harness.stop()
        #expect(before == "250 2.0.0 queued as X")
        #expect(after.hasPrefix("550"))
    }
}
