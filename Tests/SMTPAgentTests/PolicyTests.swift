import Configuration
import EventLoop
import Platform
import SMTP
import SMTPAgent
import ScanProtocol
import Testing

@Suite struct PolicyTests {
    @Test(arguments: [
        ("reject", "550 5.7.1"), ("defer", "451 4.7.1"), ("discard", "250 2.0.0"), ("accept", "250 2.0.0 queued"),
    ])
    func actions(action: String, reply: String) async throws {
        let harness = try Harness(more: "action_av_infected = \"\(action)\"\nav_clean_mode = \"none\"\n")
        let (found, next) = try await harness.client { client in
            try await client.hello()
            return (try await client.deliver("a VIRUS\r\n"), try await client.deliver("clean\r\n"))
        }
        await harness.stop()
        #expect(found.hasPrefix(reply))
        #expect(next == "250 2.0.0 queued as X")
        #expect(harness.hop.seen.messages == (action == "accept" ? ["a VIRUS\r\n", "clean\r\n"] : ["clean\r\n"]))
        #expect(harness.hop.seen.lines.contains("RSET") == (action != "accept"))
        #expect(harness.agent.counters[.infected] == 1)
        #expect(
            harness.agent.counters.snapshot["\(["defer": "deferr", "accept": "accept"][action] ?? action)ed"] ?? 0 >= 1)
    }

    @Test func withoutAScannerMailIsDeferred() async throws {
        let harness = try Harness(scanner: FakeScanner { _ in .failure(ScanUnavailable("down")) })
        let reply = try await harness.client { client in
            try await client.hello()
            return try await client.deliver("x\r\n")
        }
        await harness.stop()
        #expect(reply.hasPrefix("451 4.7.1"))
        #expect(harness.hop.seen.messages.isEmpty)
        #expect(harness.agent.counters[.deferred] == 1)
        #expect(harness.log.texts.contains { $0.contains("down") })
    }

    @Test func blackAndWhiteLists() async throws {
        let users =
            "[black]\naction_av = \"reject\"\n[|s@example.com]\nparent_id = \"black\"\n[white@example.com]\naction_av = \"accept\"\n"
        let harness = try Harness(users: users)
        let replies = try await harness.client { client in
            try await client.hello()
            var replies = [try await client.deliver("x\r\n")]
            _ = try await client.ask("MAIL FROM:<other@example.com>")
            _ = try await client.ask("RCPT TO:<white@example.com>")
            _ = try await client.ask("DATA")
            replies.append(try await client.ask("VIRUS\r\n."))
            return replies
        }
        await harness.stop()
        #expect(replies[0].hasPrefix("550 5.7.1"))
        #expect(replies[1].hasPrefix("250"))
        #expect(harness.scanner.calls.isEmpty)
    }

    @Test func recipientsOfDifferentPolicyAreNotMixed() async throws {
        let users = "[a@example.com]\naction_av = \"reject\"\n[gone@example.com]\naction_av = \"reject\"\n"
        var behaviour = FakeHop.Behaviour()
        behaviour.recipients["gone@example.com"] = "550 5.1.1 gone"
        let harness = try Harness(users: users, hop: behaviour)
        let (codes, text) = try await harness.client { client in
            try await client.hello()
            client.send("MAIL FROM:<s@x>\r\nRCPT TO:<gone@example.com>\r\nRCPT TO:<b@example.com>\r\n")
            client.send("RCPT TO:<c@example.com>\r\nRCPT TO:<\"a\"@EXAMPLE.com>\r\n")
            let codes = try await client.codes(4)
            let text = try await client.reply().text
            _ = try await client.ask("DATA")
            _ = try await client.ask("x\r\n.")
            return (codes, text)
        }
        await harness.stop()
        #expect(codes == [250, 550, 250, 250])
        #expect(text.hasPrefix("4.5.3"))
        #expect(harness.scanner.calls.map(\.envelope.recipients) == [["b@example.com", "c@example.com"]])
    }

    @Test func originalClientIsKnownByXForward() async throws {
        let harness = try Harness()
        _ = try await harness.client { client in
            try await client.hello()
            client.send("XFORWARD NAME=mx.remote ADDR=192.0.2.7 PORT=1234\r\nXFORWARD HELO=a+20b SOURCE=REMOTE\r\n")
            client.send(
                "MAIL FROM:<s@x>\r\nRCPT TO:<r@x>\r\nDATA\r\nx\r\n.\r\nMAIL FROM:<s@x>\r\nRCPT TO:<r@x>\r\nDATA\r\nx\r\n.\r\n"
            )
            return try await client.codes(10)
        }
        await harness.stop()
        #expect(harness.scanner.calls.map(\.envelope.clientAddress) == ["192.0.2.7", nil])
        #expect(harness.scanner.calls.map(\.envelope.helo) == ["a b", nil])
        // Only what the next hop announced, and only once: it forgets with the transaction.
        #expect(
            harness.hop.seen.lines.filter { $0.hasPrefix("XFORWARD") }
                == ["XFORWARD NAME=mx.remote ADDR=192.0.2.7 HELO=a+20b"])
    }

    @Test func originalsGoIntoQuarantine() async throws {
        let harness = try Harness(more: "av_quarantine_enabled = yes\naction_av_infected = \"discard\"\n")
        let reply = try await harness.client { client in
            try await client.hello()
            return try await client.deliver("a VIRUS\r\n")
        }
        #expect(reply.hasPrefix("250"))
        let names = try Files.names(in: Paths(root: harness.root).quarantineDirectory)
        #expect(names.contains { $0.hasSuffix(".dat") })
        await harness.stop()
    }

    @Test func nothingIsLostWhenQuarantineFails() async throws {
        let harness = try Harness(more: "av_quarantine_enabled = yes\naction_av_infected = \"discard\"\n")
        // A file where the directory should be.
        try Files.replace(Paths(root: harness.root).quarantineDirectory, with: [])
        let reply = try await harness.client { client in
            try await client.hello()
            return try await client.deliver("a VIRUS\r\n")
        }
        await harness.stop()
        #expect(reply.hasPrefix("451"))
        #expect(harness.hop.seen.messages.isEmpty)
    }

    @Test func messagesAreMarked() async throws {
        let harness = try Harness("server_addr = \"127.0.0.1\"\nserver_port = HOP\nav_eml_footnote_modification = no\n")
        let reply = try await harness.client { client in
            try await client.hello()
            return try await client.deliver("Subject: x\r\n\r\ntext\r\n")
        }
        await harness.stop()
        #expect(reply.hasPrefix("250"))
        let message = try #require(harness.hop.seen.messages.first)
        #expect(message.contains("X-EsetsResult: clean"))
        #expect(message.hasSuffix("\r\n\r\ntext\r\n"))
    }
}
