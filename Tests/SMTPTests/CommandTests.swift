import SMTP
import Testing

@Suite struct CommandTests {
    private func mail(_ line: String) throws -> MailCommand {
        guard case .command(.mail(let mail)) = parse(line) else { throw Wrong(line: line) }
        return mail
    }
    private func recipient(_ line: String) throws -> RecipientCommand {
        guard case .command(.recipient(let recipient)) = parse(line) else { throw Wrong(line: line) }
        return recipient
    }
    private struct Wrong: Error { let line: String }

    @Test(arguments: [
        ("EHLO mx.example.com", Command.ehlo(bytes("mx.example.com"))),
        ("helo [192.0.2.1] ", .helo(bytes("[192.0.2.1]"))),
        ("data", .data), ("Rset", .reset), ("QUIT  ", .quit), ("STARTTLS", .startTLS),
        ("NOOP what ever", .noop), ("HELP MAIL", .help), ("VRFY postmaster", .verify(bytes("postmaster"))),
        ("EXPN list", .expand(bytes("list"))), ("BDAT 5 LAST", .bdat), ("TURN", .unknown(bytes("TURN"))),
        ("auth plain AGEAYg==", .auth(mechanism: bytes("PLAIN"), initial: bytes("AGEAYg=="))),
        ("AUTH LOGIN", .auth(mechanism: bytes("LOGIN"), initial: nil)),
    ])
    func plainCommands(line: String, command: Command) {
        #expect(parse(line) == .command(command))
    }

    @Test(arguments: ["DATA now", "QUIT please", "EHLO", "EHLO a b", "AUTH", "AUTH PL@IN", "XFORWARD", "VRFY"])
    func badArguments(line: String) {
        #expect(parse(line) == .rejected(.badArgument))
    }

    @Test(arguments: ["GET / HTTP/1.1", "POST /x HTTP/1.0", "Subject: hello", "CONNECT a:25 HTTP/1.1", "Received: x"])
    func otherProtocols(line: String) {
        #expect(parse(line) == .foreign)
    }

    @Test func mailKeepsParametersAsReceived() throws {
        let line = "MAIL FROM:<a@example.com> SIZE=1000 body=8bitmime SMTPUTF8 RET=HDRS ENVID=QQ+2B1 X-Own=1"
        let command = try mail(line)
        #expect(command.path.text == "a@example.com")
        #expect(command.declaredSize == 1000)
        #expect(text(command.bytes()) == line + "\r\n")
        #expect(
            text(command.bytes(declaring: 7))
                == "MAIL FROM:<a@example.com> body=8bitmime SMTPUTF8 RET=HDRS ENVID=QQ+2B1 X-Own=1 SIZE=7\r\n")
    }

    @Test func recipientKeepsParametersAsReceived() throws {
        let line = "RCPT TO:<\"a b\"@example.com> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;a+40b@example.com"
        let command = try recipient(line)
        #expect(text(command.bytes) == line + "\r\n")
        #expect(command.path.text == "a b@example.com")
    }

    @Test(arguments: [
        ("MAIL FROM:<>", ""), ("MAIL FROM: <a@b>", "a@b"), ("mail from:a@b", "a@b"),
        ("MAIL FROM:<@x.org,@y.org:a@b>", "a@b"), ("MAIL FROM:<\"us\\er\"@b>", "user@b"),
        ("MAIL FROM:<\"a>b\"@c>", "a>b@c"), ("MAIL FROM:<ü@bücher.example> SMTPUTF8", "ü@bücher.example"),
    ])
    func addresses(line: String, address: String) throws {
        #expect(try mail(line).path.text == address)
    }

    @Test(arguments: [
        "MAIL FROM:", "MAIL FROM:<a@b", "MAIL FROM:<a b@c>", "MAIL FROM:<a\u{1}@b>", "MAIL FROM:<\"a@b>",
        "MAIL FROM:<a\\>", "RCPT TO:<>", "RCPT TO:<@x.org>", "MAIL FROM:<<a@b>>",
    ])
    func badAddresses(line: String) {
        #expect(parse(line) == .rejected(.badAddress))
    }

    @Test(arguments: [
        "MAIL <a@b>", "MAIL FROM:<a@b>SIZE=1", "MAIL FROM:<a@b> =1", "MAIL FROM:<a@b> SIZE=", "MAIL FROM:<a@b> SIZE=x",
        "MAIL FROM:<a@b> SIZE=99999999999999999999", "RCPT FROM:<a@b>",
        "MAIL FROM:<a@b>" + String(repeating: " A=1", count: 21),
    ])
    func badParameters(line: String) {
        #expect(parse(line) == .rejected(.badArgument))
    }

    @Test func binaryIsRefused() {
        #expect(parse("MAIL FROM:<a@b> BODY=binarymime") == .rejected(.unsupportedBody))
    }

    @Test func controlsAreRefused() {
        #expect(parse("MAIL FROM:<a@b>\rRCPT TO:<c@d>") == .rejected(.bareNewline))
        #expect(parse("NOOP \u{0}") == .rejected(.syntax))
    }

    @Test func xforward() throws {
        let line = "XFORWARD NAME=spike.porcupine.org ADDR=IPv6:2001:db8::1 helo=a+20b PROTO=ESMTP IDENT=[UNAVAILABLE]"
        guard case .command(.xforward(var attributes)) = parse(line) else { throw Wrong(line: line) }
        #expect(attributes.clientAddress == "2001:db8::1")
        #expect(attributes.text(.helo) == "a b")
        #expect(attributes.text(.identity) == nil)
        #expect(
            attributes.commands(offered: [.helo, .identity, .address]).map(text) == [
                "XFORWARD ADDR=IPv6:2001:db8::1 HELO=a+20b IDENT=[UNAVAILABLE]\r\n"
            ])
        attributes.merge(try #require(view(bytes("ADDR=192.0.2.9")) { XForward(parsing: $0) }))
        #expect(attributes.clientAddress == "192.0.2.9")
        #expect(attributes.text(.name) == "spike.porcupine.org")
    }

    @Test func xforwardCommandsAreShort() throws {
        let long = String(repeating: "n", count: 250)
        var attributes = try #require(view(bytes("NAME=\(long) SOURCE=LOCAL")) { XForward(parsing: $0) })
        attributes.merge(try #require(view(bytes("HELO=\(long)")) { XForward(parsing: $0) }))
        let commands = attributes.commands(offered: Set(XForward.Attribute.allCases))
        #expect(commands.count == 2)
        #expect(commands.allSatisfy { $0.count <= 512 && $0.suffix(2) == [13, 10] })
        #expect(commands.map(text).joined().contains("NAME=\(long)"))
    }

    @Test(arguments: [
        "NAME", "NAME=a+2", "NAME=a+zz", "COLOR=red", "NAME=a+0Ab", "NAME=" + String(repeating: "x", count: 256),
    ])
    func badXForward(argument: String) {
        #expect(view(bytes(argument)) { XForward(parsing: $0) } == nil)
    }
}
