/// The replies that we give ourselves. Every other reply is the next hop's. The texts stay generic: what exactly
/// is wrong inside the system is for the log, not for the client.
extension Reply {
    package static let ok = Reply(250, "2.0.0 Ok")
    package static let senderOk = Reply(250, "2.1.0 Ok")
    package static let bye = Reply(221, "2.0.0 Bye")
    package static let startContent = Reply(354, "End data with <CR><LF>.<CR><LF>")
    package static let readyForTLS = Reply(220, "2.0.0 Ready to start TLS")
    package static let help = Reply(214, "2.0.0 See RFC 5321")
    package static let cannotVerify = Reply(252, "2.5.2 Cannot verify, but will try to deliver")

    package static let syntax = Reply(500, "5.5.2 Syntax error, command not recognised")
    package static let lineTooLong = Reply(500, "5.5.6 Line too long")
    package static let bareNewline = Reply(500, "5.5.2 Bare <CR> or <LF> in a command")
    package static let badArgument = Reply(501, "5.5.4 Syntax error in parameters or arguments")
    package static let badAddress = Reply(501, "5.1.3 Bad address syntax")
    package static let notImplemented = Reply(502, "5.5.1 Command not implemented")
    package static let badSequence = Reply(503, "5.5.1 Bad sequence of commands")
    package static let helloFirst = Reply(503, "5.5.1 Send EHLO or HELO first")
    package static let nestedMail = Reply(503, "5.5.1 Nested MAIL command")
    package static let mailFirst = Reply(503, "5.5.1 Need MAIL command")
    package static let recipientFirst = Reply(503, "5.5.1 Need RCPT command")
    package static let noValidRecipients = Reply(554, "5.5.1 No valid recipients")
    package static let unsupportedBody = Reply(555, "5.5.4 Unsupported BODY parameter")
    package static let tooManyErrors = Reply(421, "4.7.0 Too many errors")
    package static let notSMTP = Reply(421, "4.7.0 This is not SMTP")
    package static let injection = Reply(421, "4.5.0 Commands after STARTTLS")

    package static let bareNewlineInMessage = Reply(
        550, "5.6.11 Message contains a bare carriage return or line feed (RFC 5321 section 2.3.8)")
    package static let messageTooBig = Reply(552, "5.3.4 Message size exceeds the limit")
    package static let noSpace = Reply(452, "4.3.1 Insufficient system storage")
    package static let otherPolicy = Reply(452, "4.5.3 Recipient has another policy, send separately")
    package static let tooManyRecipients = Reply(452, "4.5.3 Too many recipients")

    package static let tooBusy = Reply(421, "4.3.2 Too many connections, try again later")
    package static let nextHopUnavailable = Reply(421, "4.4.1 Next hop unavailable, try again later")
    package static let nextHopLost = Reply(451, "4.4.2 Connection to the next hop lost, try again later")
    package static let timeout = Reply(421, "4.4.2 Timeout exceeded")
    package static let shuttingDown = Reply(421, "4.3.2 Service shutting down")
    package static let scanUnavailable = Reply(451, "4.7.1 Content check unavailable, try again later")
    package static let deferred = Reply(451, "4.7.1 Message deferred by content policy, try again later")
    package static let rejected = Reply(550, "5.7.1 Message rejected by content policy")
}
