import SMTP
import Testing

@Suite struct ClientTests {
    @Test func repliesInChunksOfEverySize() throws {
        let wire = "220 mx ESMTP\r\n250-mx\r\n250-SIZE 1000\r\n250 \r\n354\r\n550 5.7.1 no\n"
        for chunk in 1...wire.utf8.count {
            let found = try replies(wire, chunk: chunk)
            #expect(found.map(\.code) == [220, 250, 354, 550])
            #expect(found[1].lines.map(text) == ["mx", "SIZE 1000", ""])
            #expect(found[3].enhancedStatus == EnhancedStatus(5, 7, 1))
        }
    }

    @Test(arguments: [
        ("199 x\r\n", ReplyParser.Failure.notAReply), ("600 x\r\n", .notAReply), ("hello\r\n", .notAReply),
        ("\r\n", .notAReply),
        ("25\r\n", .notAReply), ("250_x\r\n", .notAReply), ("250-a\r\n251 b\r\n", .codesDiffer),
        (String(repeating: "250-a\r\n", count: 129), .tooManyLines),
        ("250 " + String(repeating: "x", count: 3000), .lineTooLong),
    ])
    func hostileServers(wire: String, failure: ReplyParser.Failure) {
        #expect(throws: failure) { try replies(wire) }
        #expect(throws: failure) { try replies(wire, chunk: 7) }
    }

    @Test func repliesCannotForgeLines() {
        #expect(text(Reply(550, "no\r\n250 yes\0").bytes) == "550 no  250 yes \r\n")
        #expect(text(Reply(code: 250, lines: [bytes("a"), bytes("b")]).bytes) == "250-a\r\n250 b\r\n")
    }

    @Test(arguments: [
        ("4.7.1 x", true), ("4.7.1", true), ("3.7.1 x", false), ("5.1", false), ("5.1.1000 x", false), ("", false),
    ])
    func enhancedStatus(line: String, found: Bool) {
        #expect((Reply(450, line).enhancedStatus != nil) == found)
    }

    @Test func offerIsAnIntersection() throws {
        let nextHop = Extensions(
            reply: try replies(
                "250-mx.example.com hi\r\n250-PIPELINING\r\n250-SIZE 5000\r\n250-ETRN\r\n250-STARTTLS\r\n250-8BITMIME\r\n"
                    + "250-AUTH PLAIN GSSAPI SCRAM-SHA-256-PLUS login\r\n250-AUTH=LOGIN\r\n250-CHUNKING\r\n250-BINARYMIME\r\n"
                    + "250-PIPECONNECT\r\n250-XCLIENT NAME\r\n250-XFORWARD NAME ADDR\r\n250-DELIVERBY 100\r\n250 DSN\r\n"
            )[0])
        #expect(nextHop.relayableMechanisms.map(text) == ["PLAIN", "LOGIN"])
        #expect(nextHop.xforward == [.name, .address])
        var offer = Offer()
        let lines = offer.reply(greeting: bytes("mx.example.com hi"), nextHop: nextHop).lines.map(text)
        #expect(lines == ["mx.example.com hi", "PIPELINING", "SIZE 5000", "8BITMIME", "DSN", "DELIVERBY 100"])
        offer.maximumSize = 4000
        offer.startTLS = true
        offer.xforward = true
        offer.mechanisms = nextHop.relayableMechanisms
        let more = offer.reply(greeting: bytes("x"), nextHop: Extensions()).lines.map(text)
        #expect(
            more == [
                "x", "PIPELINING", "SIZE 4000", "STARTTLS", "AUTH PLAIN LOGIN",
                "XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE",
            ])
    }

    // MARK: - Transactions

    private func command(_ address: String) throws -> RecipientCommand {
        guard case .command(.recipient(let command)) = parse("RCPT TO:<\(address)>") else { throw CancellationError() }
        return command
    }

    private func transaction(pipelining: Bool, size: UInt64? = nil) throws -> ClientTransaction {
        guard case .command(.mail(let mail)) = parse("MAIL FROM:<s@x> SIZE=1 RET=FULL") else {
            throw CancellationError()
        }
        return ClientTransaction(
            mail: mail, recipients: [try command("a@x"), try command("b@x")], size: size, pipelining: pipelining)
    }

    /// Feeds replies, returns everything the transaction wrote and its last step.
    private func run(_ transaction: inout ClientTransaction, _ codes: [Int]) -> (String, ClientTransaction.Step) {
        var written = text(transaction.start())
        var last = ClientTransaction.Step.wait
        for code in codes {
            last = transaction.receive(Reply(code, "x"))
            if case .write(let more) = last { written += "|" + text(more) }
        }
        return (written, last)
    }

    @Test func pipelinedInOneWrite() throws {
        var transaction = try transaction(pipelining: true, size: 77)
        let (written, last) = run(&transaction, [250, 250, 550, 354])
        #expect(written == "MAIL FROM:<s@x> RET=FULL SIZE=77\r\nRCPT TO:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n")
        #expect(last == .content)
        #expect(transaction.recipientReplies.map(\.code) == [250, 550])
        transaction.contentSent()
        #expect(transaction.isWaiting)
        #expect(transaction.receive(Reply(452, "full")) == .done)
        #expect(transaction.result?.code == 452)
    }

    @Test func oneAtATime() throws {
        var transaction = try transaction(pipelining: false)
        let (written, last) = run(&transaction, [250, 250, 250, 354])
        #expect(written == "MAIL FROM:<s@x> SIZE=1 RET=FULL\r\n|RCPT TO:<a@x>\r\n|RCPT TO:<b@x>\r\n|DATA\r\n")
        #expect(last == .content)
    }

    @Test func withoutRecipientsALoneDotEndsTheMessage() throws {
        var transaction = try transaction(pipelining: true)
        let (written, last) = run(&transaction, [250, 550, 450, 354])
        #expect(written.hasSuffix("DATA\r\n|.\r\n"))
        #expect(last == .write(bytes(".\r\n")))
        #expect(transaction.receive(Reply(554, "no recipients")) == .done)
        #expect(transaction.result?.code == 550)
    }

    @Test func withoutRecipientsNoDataFollows() throws {
        var transaction = try transaction(pipelining: false)
        let (written, last) = run(&transaction, [250, 550, 450])
        #expect(!written.contains("DATA"))
        #expect(last == .done)
        #expect(transaction.result?.code == 550)
    }

    @Test func refusedMail() throws {
        var plain = try transaction(pipelining: false)
        #expect(run(&plain, [452]).1 == .done)
        #expect(plain.result?.code == 452)
        var pipelined = try transaction(pipelining: true)
        #expect(run(&pipelined, [452, 503, 503, 503]).1 == .done)
        #expect(pipelined.result?.code == 452)
        // A server that takes recipients and DATA although it refused MAIL gets no message.
        var odd = try transaction(pipelining: true)
        #expect(run(&odd, [452, 250, 250, 354]).1 == .write(bytes(".\r\n")))
    }

    @Test func refusedData() throws {
        var transaction = try transaction(pipelining: true)
        #expect(run(&transaction, [250, 250, 250, 451]).1 == .done)
        #expect(transaction.result?.code == 451)
        var odd = try self.transaction(pipelining: true)
        #expect(run(&odd, [250, 250, 250, 250]).1 == .done)
        #expect(odd.result?.isTransient == true)
    }
}
