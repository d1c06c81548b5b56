import Configuration
import Platform
import SMTP
import SMTPAgent
import ScanProtocol
import Testing

@Suite struct RelayTests {
    @Test func envelopeAndContentArriveUnchanged() async throws {
        let harness = try Harness()
        let replies = try await harness.client { client in
            var replies = [try await client.reply().text]
            for line in [
                "EHLO client.example", "MAIL FROM:<s@example.com> SIZE=100 BODY=8BITMIME RET=HDRS ENVID=x+2B1",
                "RCPT TO:<r@example.com> NOTIFY=NEVER ORCPT=rfc822;q@example.com", "DATA",
                "Subject: x\r\n\r\n..dot\r\ntext\r\n.", "QUIT",
            ] {
                replies.append(try await client.ask(line))
            }
            return replies
        }
        await harness.stop()
        #expect(replies[0] == "hop.example ESMTP")
        #expect(replies[1].hasPrefix("250 hop.example greets you / PIPELINING / SIZE 10000000 / 8BITMIME / DSN"))
        #expect(!replies[1].contains("CHUNKING"))
        #expect(replies[5] == "250 2.0.0 queued as X")
        #expect(replies[6].hasPrefix("221"))
        #expect(
            harness.hop.seen.lines == [
                "CONNECT", "EHLO client.example",
                "MAIL FROM:<s@example.com> SIZE=100 BODY=8BITMIME RET=HDRS ENVID=x+2B1",
                "RCPT TO:<r@example.com> NOTIFY=NEVER ORCPT=rfc822;q@example.com", "DATA", "QUIT",
            ])
        #expect(harness.hop.seen.messages == ["Subject: x\r\n\r\n..dot\r\ntext\r\n"])
        #expect(harness.agent.counters[.accepted] == 1)
        #expect(harness.agent.counters[.sessions] == 1)
        #expect(harness.log.messages.map(\.reply) == [Reply(250, "2.0.0 queued as X")])
    }

    @Test(arguments: [true, false])
    func pipelinedInOneWrite(hopPipelines: Bool) async throws {
        var behaviour = FakeHop.Behaviour()
        if !hopPipelines { behaviour.keywords.removeFirst() }
        behaviour.recipients["bad@example.com"] = "550 5.1.1 no such user"
        behaviour.recipients["later@example.com"] = "450 4.2.0 later"
        let harness = try Harness(hop: behaviour)
        let codes = try await harness.client { client in
            client.send(
                "EHLO x\r\nMAIL FROM:<s@example.com>\r\nRCPT TO:<bad@example.com>\r\nNOOP\r\nRCPT TO:<ok@example.com>\r\n"
                    + "RCPT TO:<later@example.com>\r\nDATA\r\nSubject: a\r\n\r\n1\r\n.\r\n"
                    + "MAIL FROM:<>\r\nRCPT TO:<two@example.com>\r\nDATA\r\nSubject: b\r\n\r\n2\r\n.\r\nQUIT\r\n")
            return try await client.codes(14)
        }
        await harness.stop()
        #expect(codes == [220, 250, 250, 550, 250, 250, 450, 354, 250, 250, 250, 354, 250, 221])
        #expect(harness.hop.seen.messages == ["Subject: a\r\n\r\n1\r\n", "Subject: b\r\n\r\n2\r\n"])
        #expect(harness.scanner.calls.map(\.envelope.recipients) == [["ok@example.com"], ["two@example.com"]])
        #expect(harness.scanner.calls.map(\.envelope.sender) == ["s@example.com", ""])
    }

    /// The next hop hears of the sender with the first recipient; what it says to a sender is then the reply to recipients.
    @Test(arguments: [false, true])
    func refusedSender(takesRecipientsAllTheSame: Bool) async throws {
        var behaviour = FakeHop.Behaviour()
        behaviour.takesRecipientsOfNobody = takesRecipientsAllTheSame
        behaviour.senders["bad@example.com"] = "550 5.7.1 not you"
        let harness = try Harness(hop: behaviour)
        let replies = try await harness.client { client in
            try await client.hello()
            var replies: [String] = []
            for line in [
                "MAIL FROM:<bad@example.com>", "RCPT TO:<a@example.com>", "RCPT TO:<b@example.com>", "DATA", "RSET",
                "MAIL FROM:<gone@example.com>", "RSET",
            ] {
                replies.append(try await client.ask(line))
            }
            replies.append(try await client.deliver("x\r\n"))
            return replies
        }
        await harness.stop()
        #expect(
            replies == [
                "250 2.1.0 Ok", "550 5.7.1 not you", "550 5.7.1 not you", "554 5.5.1 No valid recipients",
                "250 2.0.0 Ok", "250 2.1.0 Ok", "250 2.0.0 Ok", "250 2.0.0 queued as X",
            ])
        #expect(harness.hop.seen.messages == ["x\r\n"])
        #expect(
            harness.hop.seen.lines == [
                "CONNECT", "EHLO client.example", "MAIL FROM:<bad@example.com>", "RCPT TO:<a@example.com>",
                "RCPT TO:<b@example.com>", "MAIL FROM:<s@example.com>", "RCPT TO:<r@example.com>", "DATA", "QUIT",
            ])
    }

    /// A server that does not pipeline is asked at once, and so is the one that a redirected client wanted to reach.
    @Test(arguments: [true, false])
    func refusedSenderIsToldAtOnce(redirected: Bool) async throws {
        var behaviour = FakeHop.Behaviour()
        if !redirected { behaviour.keywords.removeFirst() }
        behaviour.senders["bad@example.com"] = "550 5.7.1 not you"
        let harness =
            redirected
            ? try Harness("av_eml_header_modification = no\n", hop: behaviour, redirected: true)
            : try Harness(hop: behaviour)
        let reply = try await harness.client { client in
            try await client.hello()
            return try await client.ask("MAIL FROM:<bad@example.com>")
        }
        await harness.stop()
        #expect(reply == "550 5.7.1 not you")
    }

    @Test func withoutValidRecipients() async throws {
        var behaviour = FakeHop.Behaviour()
        behaviour.recipients["r@example.com"] = "550 5.1.1 no such user"
        let harness = try Harness(hop: behaviour)
        let codes = try await harness.client { client in
            client.send(
                "EHLO x\r\nMAIL FROM:<s@x>\r\nRCPT TO:<r@example.com>\r\nDATA\r\nRSET\r\nMAIL FROM:<s@x>\r\nDATA\r\n")
            return try await client.codes(8)
        }
        await harness.stop()
        #expect(codes == [220, 250, 250, 550, 554, 250, 250, 503])
        #expect(!harness.hop.seen.lines.contains("DATA"))
    }

    @Test(arguments: ["452 4.3.1 full", "550 5.7.1 we do not like it", "354 nonsense"])
    func refusalOfTheContentIsRelayed(final: String) async throws {
        var behaviour = FakeHop.Behaviour()
        behaviour.final = final
        let harness = try Harness(hop: behaviour)
        let replies = try await harness.client { client in
            try await client.hello()
            return [try await client.deliver("x\r\n"), try await client.deliver("y\r\n")]
        }
        await harness.stop()
        let expected = final.hasPrefix("3") ? Reply.nextHopLost : nil
        for reply in replies { #expect(reply == expected.map { "\($0.code) \($0.text)" } ?? final) }
    }

    /// What the next hop said before it had the message must not be taken for its reply to the message.
    @Test(arguments: ["354 go\r\n250 2.0.0 early", "250 2.0.0 eh", "250 2.0.0 eh\r\n354 go"])
    func repliesThatNobodyAskedFor(data: String) async throws {
        var behaviour = FakeHop.Behaviour()
        behaviour.data = data
        behaviour.final = "451 4.3.0 no"
        let harness = try Harness(hop: behaviour)
        let replies = try await harness.client { client in
            try await client.hello()
            return [try await client.deliver("x\r\n"), try await client.deliver("y\r\n")]
        }
        await harness.stop()
        let lost = "\(Reply.nextHopLost.code) \(Reply.nextHopLost.text)"
        #expect(replies == [lost, lost])
        #expect(harness.hop.seen.messages.isEmpty)
    }

    @Test func refusalOfDataIsRelayed() async throws {
        var behaviour = FakeHop.Behaviour()
        behaviour.data = "451 4.3.0 not now"
        let harness = try Harness(hop: behaviour)
        let reply = try await harness.client { client in
            try await client.hello()
            return try await client.deliver("x\r\n")
        }
        await harness.stop()
        #expect(reply == "451 4.3.0 not now")
    }

    @Test func oldServersAndClients() async throws {
        var behaviour = FakeHop.Behaviour()
        behaviour.knowsEHLO = false
        let harness = try Harness(hop: behaviour)
        let (hello, reply) = try await harness.client { client in
            _ = try await client.reply()
            let hello = try await client.ask("HELO old.example")
            return (hello, try await client.deliver("x\r\n"))
        }
        await harness.stop()
        #expect(hello == "250 2.0.0 ok")
        #expect(reply.hasPrefix("250"))
        #expect(harness.hop.seen.lines[1...2] == ["EHLO old.example", "HELO old.example"])
    }

    @Test func unreachableNextHop() async throws {
        let harness = try Harness("server_addr = \"127.0.0.1\"\nserver_port = 1\n")
        let (code, closed) = try await harness.client { client in
            (try await client.reply().code, try await client.isClosedByServer())
        }
        await harness.stop()
        #expect(code == 421)
        #expect(closed)
    }

    @Test func nextHopThatRefusesService() async throws {
        var behaviour = FakeHop.Behaviour()
        behaviour.greeting = "421 4.3.2 closed for today"
        let harness = try Harness(hop: behaviour)
        let reply = try await harness.client { try await $0.reply().text }
        await harness.stop()
        #expect(reply == "4.3.2 closed for today")
    }

    @Test func largeMessagesGoThroughAFile() async throws {
        let harness = try Harness()
        let line = String(repeating: "x", count: 998) + "\r\n"
        let content = String(repeating: line, count: 1500)
        let reply = try await harness.client { client in
            try await client.hello()
            return try await client.deliver(content)
        }
        await harness.stop()
        #expect(reply.hasPrefix("250"))
        #expect(harness.hop.seen.messages.first?.utf8.elementsEqual(content.utf8) == true)
        #expect(harness.scanner.calls.map(\.isSealed) == [false])
    }

    @Test func tooLargeMessages() async throws {
        let harness = try Harness(more: "max_message_size = 1000\n")
        let (announced, declared, actual, next) = try await harness.client { client in
            _ = try await client.reply()
            let announced = try await client.ask("EHLO x")
            let declared = try await client.ask("MAIL FROM:<s@x> SIZE=1001")
            let actual = try await client.deliver(String(repeating: "0123456789\r\n", count: 200))
            return (announced, declared, actual, try await client.deliver("small\r\n"))
        }
        await harness.stop()
        #expect(announced.contains("SIZE 1000 "))
        #expect(declared.hasPrefix("552 5.3.4"))
        #expect(actual.hasPrefix("552 5.3.4"))
        #expect(next.hasPrefix("250"))
        #expect(harness.hop.seen.messages == ["small\r\n"])
    }

    @Test func withoutASpool() async throws {
        let harness = try Harness(makeSpool: false)
        let (large, small) = try await harness.client { client in
            try await client.hello()
            let large = try await client.deliver(String(repeating: "0123456789\r\n", count: 100_000))
            return (large, try await client.deliver("small\r\n"))
        }
        await harness.stop()
        #expect(large.hasPrefix("452 4.3.1"))
        #expect(small.hasPrefix("250"))
    }

    @Test(arguments: ["\n.\r\n", "\r\n.\n", "\n.\n", "\r.\r", "\r.\r\n", "\r\n.\r"])
    func smuggledMessagesStayContent(sequence: String) async throws {
        let smuggled = "text" + sequence + "MAIL FROM:<evil@x>\r\nRCPT TO:<r@x>\r\nDATA\r\nVIRUS\r\n"
        let harness = try Harness(more: "action_av = accept\n")
        let reply = try await harness.client { client in
            try await client.hello()
            return try await client.deliver(smuggled)
        }
        await harness.stop()
        #expect(reply.hasPrefix("250"))
        #expect(harness.hop.seen.messages.count == 1)
        #expect(harness.hop.seen.lines.filter { $0.hasPrefix("MAIL") } == ["MAIL FROM:<s@example.com>"])

        let strict = try Harness(more: "bare_newline = reject\n")
        let refusal = try await strict.client { client in
            try await client.hello()
            return try await client.deliver(smuggled)
        }
        await strict.stop()
        #expect(refusal.hasPrefix("550 5.6.11"))
        #expect(strict.hop.seen.messages.isEmpty)
    }

    @Test func transactionsThatEndEarly() async throws {
        let harness = try Harness()
        let codes = try await harness.client { client in
            client.send(
                "EHLO x\r\nMAIL FROM:<1@x>\r\nRCPT TO:<a@x>\r\nRSET\r\nMAIL FROM:<2@x>\r\nRCPT TO:<b@x>\r\nEHLO y\r\n"
                    + "RCPT TO:<c@x>\r\nMAIL FROM:<3@x>\r\nRCPT TO:<d@x>\r\nDATA\r\n3\r\n.\r\nRSET\r\nQUIT\r\n")
            return try await client.codes(15)
        }
        await harness.stop()
        #expect(codes == [220, 250, 250, 250, 250, 250, 250, 250, 503, 250, 250, 354, 250, 250, 221])
        #expect(harness.hop.seen.messages == ["3\r\n"])
        #expect(harness.scanner.calls.map(\.envelope.recipients) == [["d@x"]])
        #expect(
            harness.hop.seen.lines.dropFirst(2) == [
                "MAIL FROM:<1@x>", "RCPT TO:<a@x>", "RSET", "MAIL FROM:<2@x>", "RCPT TO:<b@x>", "EHLO y",
                "MAIL FROM:<3@x>", "RCPT TO:<d@x>", "DATA", "QUIT",
            ])
    }

    @Test func manyRecipientsInOneWrite() async throws {
        let harness = try Harness()
        let codes = try await harness.client { client in
            try await client.hello()
            var script = "MAIL FROM:<s@x>\r\n"
            for number in 0..<1001 { script += "RCPT TO:<r\(number)@x>\r\n" }
            client.send(script + "DATA\r\nx\r\n.\r\n")
            return try await client.codes(1004)
        }
        await harness.stop()
        #expect(codes.prefix(1001).allSatisfy { $0 == 250 })
        #expect(codes.suffix(3) == [452, 354, 250])
        #expect(harness.scanner.calls.map(\.envelope.recipients.count) == [1000])
    }
}
