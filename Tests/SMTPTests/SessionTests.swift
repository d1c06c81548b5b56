import Bytes
import SMTP
import Testing

@Suite struct SessionTests {
    private func session(_ bare: BareNewline = .normalize, limits: ServerSession.Limits = .init()) -> ServerSession {
        ServerSession(limits: limits, bareNewline: bare)
    }
    private func names(_ events: [ServerSession.Event]) -> [String] {
        events.map { event in
            switch event {
            case .command(.ehlo): "ehlo"
            case .command(.mail): "mail"
            case .command(.recipient(let recipient)): "rcpt \(recipient.path.text)"
            case .command(.data): "data"
            case .command(.quit): "quit"
            case .command(let other): "\(other)"
            case .rejected(let reply): "\(reply.code)"
            case .response(let line): "response \(text(line))"
            case .close(let reply): "close \(reply.code)"
            }
        }
    }

    @Test func pipelinedTransactionInChunksOfEverySize() {
        let script = "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nDATA\r\nhi\r\n..\r\n.\r\nQUIT\r\n"
        for chunk in 1...script.utf8.count {
            var session = session()
            var seen: [String] = []
            var content: [UInt8] = []
            var reading = false
            var rest = bytes(script)[...]
            while !rest.isEmpty {
                let part = Array(rest.prefix(chunk))
                rest = rest.dropFirst(chunk)
                if reading {
                    if view(part, { session.content($0, into: &content) }) == nil { continue }
                    reading = false
                    session.endTransaction()
                } else {
                    view(part) { session.receive($0) }
                }
                while !reading, let event = session.next() {
                    seen += names([event])
                    guard case .command(.data) = event else { continue }
                    session.beginContent()
                    reading = view([], { session.content($0, into: &content) }) == nil
                    if !reading { session.endTransaction() }
                }
            }
            #expect(seen == ["ehlo", "mail", "rcpt c@d", "rcpt e@f", "data", "quit"], "chunk \(chunk)")
            #expect(text(content) == "hi\r\n.\r\n", "chunk \(chunk)")
        }
    }

    @Test func orderOfCommands() {
        var session = session()
        session.receive(
            "MAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nDATA\r\nEHLO x\r\nRCPT TO:<a@b>\r\nDATA\r\nMAIL FROM:<>\r\n")
        session.receive("MAIL FROM:<>\r\nRSET\r\nRCPT TO:<a@b>\r\nMAIL FROM:<>\r\nEHLO y\r\nDATA\r\n")
        #expect(
            names(session.events()) == [
                "503", "503", "503", "ehlo", "503", "503", "mail", "503", "reset", "503", "mail", "ehlo", "503",
            ])
        #expect(session.helo == bytes("y"))
        #expect(!session.isInTransaction)
    }

    @Test func refusedMailLeavesNoTransaction() {
        var session = session()
        session.receive("EHLO x\r\nMAIL FROM:<a@b>\r\n")
        #expect(names(session.events()) == ["ehlo", "mail"])
        session.endTransaction()
        session.receive("RCPT TO:<a@b>\r\n")
        #expect(session.events() == [.rejected(.mailFirst)])
    }

    @Test func unofferedExtensions() {
        var session = session()
        session.receive("EHLO x\r\nSTARTTLS\r\nAUTH PLAIN\r\nXFORWARD NAME=x\r\nEXPN x\r\nXCLIENT NAME=x\r\n")
        #expect(names(session.events()) == ["ehlo", "502", "502", "502", "502", "500"])
    }

    @Test func offeredExtensions() {
        var session = session()
        session.offer.mechanisms = [bytes("PLAIN")]
        session.offer.xforward = true
        session.offer.startTLS = true
        session.receive(
            "EHLO x\r\nAUTH CRAM-MD5\r\nXFORWARD SOURCE=LOCAL\r\nMAIL FROM:<>\r\nXFORWARD NAME=x\r\nSTARTTLS\r\n")
        let events = session.events()
        #expect(events.count == 6)
        #expect(names(Array(events[3...])) == ["mail", "503", "503"])
        #expect(names([events[1]]) == ["504"])
        session.receive("RSET\r\nAUTH PLAIN\r\n")
        _ = session.events()
        session.expectResponse()
        session.receive("AGEAYg==\r\nAUTH PLAIN\r\n")
        #expect(session.next() == .response(bytes("AGEAYg==")))
        session.authenticated()
        #expect(session.next() == .rejected(.badSequence))
    }

    @Test func chunksAreSwallowedBeforeTheReply() {
        var session = session()
        session.receive("EHLO x\r\nBDAT 12 LAST\r\nQUIT\r\n")
        #expect(names(session.events()) == ["ehlo"])
        session.receive("123456QUIT\r\n")
        #expect(names(session.events()) == ["502", "quit"])
        session.receive("BDAT x\r\n")
        #expect(names(session.events()) == ["close 421"])
    }

    @Test func longLinesAreRejectedOnce() {
        var session = session()
        session.receive("EHLO " + String(repeating: "x", count: 5000))
        #expect(session.events().isEmpty)
        session.receive(String(repeating: "y", count: 5000) + "\r\nNOOP\r\n")
        #expect(session.events() == [.rejected(.lineTooLong), .command(.noop)])
        session.receive("NOOP " + String(repeating: "x", count: 2043) + "\r\n")
        #expect(session.events() == [.command(.noop)])
        session.receive("NOOP " + String(repeating: "x", count: 2044) + "\r\n")
        #expect(session.events() == [.rejected(.lineTooLong)])
    }

    @Test func errorsAndIdleCommandsAreCounted() {
        var limits = ServerSession.Limits()
        limits.errors = 2
        limits.idleCommands = 3
        var session = session(limits: limits)
        session.receive("X\r\nX\r\nX\r\nNOOP\r\n")
        #expect(names(session.events()) == ["500", "500", "close 421"])
        #expect(session.next() == nil)
        session = self.session(limits: limits)
        session.receive("NOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\n")
        #expect(session.events().last == .close(.tooManyErrors))
        session = self.session(limits: limits)
        for _ in 0..<3 { session.countError() }
        session.receive("EHLO x\r\n")
        #expect(session.events() == [.close(.tooManyErrors)])
    }

    @Test func whatComesToNothingIsCounted() {
        var limits = ServerSession.Limits()
        limits.idleCommands = 3
        limits.refusedRecipients = 5
        // A MAIL that is refused each time.
        var session = self.session(limits: limits)
        session.receive("EHLO x\r\n")
        _ = session.events()
        for number in 0..<4 {
            session.receive("MAIL FROM:<a@b>\r\n")
            guard number < 3 else {
                #expect(session.next() == .close(.tooManyErrors))
                break
            }
            #expect(names(session.events()) == ["mail"])
            session.endTransaction()
            session.countIdleCommand()
        }
        // XFORWARD again and again.
        session = self.session(limits: limits)
        session.offer.xforward = true
        session.receive("EHLO x\r\n" + String(repeating: "XFORWARD NAME=a\r\n", count: 4))
        #expect(session.events().last == .close(.tooManyErrors))
        // Recipients that are refused: many, and a message that goes through begins anew.
        session = self.session(limits: limits)
        session.receive("EHLO x\r\nMAIL FROM:<a@b>\r\n")
        _ = session.events()
        for _ in 0..<5 { session.countRefusedRecipient() }
        session.receive("RCPT TO:<a@b>\r\n")
        #expect(names(session.events()) == ["rcpt a@b"])
        session.beginContent()
        var content: [UInt8] = []
        session.receive(".\r\n")
        #expect(session.content(ByteView(), into: &content) != nil)
        for _ in 0..<6 { session.countRefusedRecipient() }
        session.receive("RCPT TO:<a@b>\r\n")
        #expect(session.events() == [.close(.tooManyErrors)])
    }

    @Test func bareLineFeedsInCommands() {
        var session = session(.reject)
        session.receive("EHLO x\nNOOP\r\n")
        #expect(names(session.events()) == ["500", "noop"])
        session = self.session(.normalize)
        session.receive("EHLO x\nNOOP\rNOOP\r\n")
        #expect(names(session.events()) == ["ehlo", "500"])
    }

    @Test func commandsInjectedBeforeTLS() {
        var session = session()
        session.offer.startTLS = true
        session.receive("EHLO x\r\nSTARTTLS\r\nMAIL FROM:<evil@b>\r\n")
        #expect(names([session.next(), session.next()].compactMap { $0 }) == ["ehlo", "startTLS"])
        let accepted = session.beginTLS()
        #expect(!accepted)
    }

    @Test func tlsForgetsTheClient() {
        var session = session()
        session.offer.startTLS = true
        session.receive("EHLO x\r\nSTARTTLS\r\n")
        _ = session.events()
        let accepted = session.beginTLS()
        #expect(accepted)
        session.receive("STARTTLS\r\nMAIL FROM:<>\r\n")
        #expect(session.events() == [.rejected(.notImplemented), .rejected(.helloFirst)])
    }

    @Test func foreignProtocolsAreCutOff() {
        var session = session()
        session.receive("GET / HTTP/1.1\r\nEHLO x\r\n")
        #expect(names(session.events()) == ["close 421"])
        #expect(!session.hasPending)
    }
}
