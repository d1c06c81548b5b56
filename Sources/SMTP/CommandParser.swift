package import Bytes

/// Parses one command line (RFC 5321 section 4.1). Tolerant where real clients need it (a space after the colon,
/// a path without angle brackets, trailing spaces), strict where an error could be read in two ways.
package enum CommandParser {
    /// What came of a line.
    package enum Result: Sendable, Equatable {
        case command(Command)
        /// Nothing that can be obeyed; the reply says why.
        case rejected(Reply)
        /// Another protocol (an HTTP request, a mail header): answer and hang up.
        case foreign
    }

    /// Parses a line without its end.
    package static func parse(_ line: ByteView) -> Result {
        for index in 0..<line.count where line[index] == 0 || line[index] == 0x0D || line[index] == 0x0A {
            return .rejected(line[index] == 0 ? .syntax : .bareNewline)
        }
        var end = 0
        while end < line.count, line[end] != 0x20, line[end] != 0x09 { end += 1 }
        let verb = line.prefix(end)
        let argument = line.dropFirst(end).trimmed
        switch String(decoding: capitals(verb.prefix(10)), as: UTF8.self) {
        case "EHLO": return name(argument).map { .command(.ehlo($0)) } ?? .rejected(.badArgument)
        case "HELO": return name(argument).map { .command(.helo($0)) } ?? .rejected(.badArgument)
        case "MAIL": return mail(argument)
        case "RCPT": return recipient(argument)
        case "DATA": return plain(.data, argument)
        case "RSET": return plain(.reset, argument)
        case "QUIT": return plain(.quit, argument)
        case "STARTTLS": return plain(.startTLS, argument)
        case "NOOP": return .command(.noop)
        case "HELP": return .command(.help)
        case "VRFY": return argument.isEmpty ? .rejected(.badArgument) : .command(.verify(argument.array))
        case "EXPN": return argument.isEmpty ? .rejected(.badArgument) : .command(.expand(argument.array))
        case "AUTH": return auth(argument)
        case "BDAT": return .command(.bdat)
        case "XFORWARD": return XForward(parsing: argument).map { .command(.xforward($0)) } ?? .rejected(.badArgument)
        case "GET", "POST", "PUT", "HEAD", "CONNECT", "OPTIONS": return .foreign
        default: return isHeader(verb) ? .foreign : .command(.unknown(verb.prefix(32).array))
        }
    }

    /// The size and whether it is the last of a BDAT command's argument (RFC 3030 section 2), or nil.
    package static func chunkSize(_ line: ByteView) -> UInt64? {
        guard line.hasPrefixIgnoringCase(ByteView("BDAT ")) else { return nil }
        let argument = line.dropFirst(5).trimmed
        let space = argument.firstIndex(of: 0x20)
        return decimal(argument.prefix(space ?? argument.count))
    }

    private static func plain(_ command: Command, _ argument: ByteView) -> Result {
        argument.isEmpty ? .command(command) : .rejected(.badArgument)
    }

    /// The argument of EHLO or HELO: any printable word, because clients send much that is no domain.
    private static func name(_ argument: ByteView) -> [UInt8]? {
        guard !argument.isEmpty, argument.count <= 255 else { return nil }
        for index in 0..<argument.count where argument[index] <= 0x20 || argument[index] == 0x7F { return nil }
        return argument.array
    }

    private static func auth(_ argument: ByteView) -> Result {
        let space = argument.firstIndex(of: 0x20) ?? argument.count
        let mechanism = argument.prefix(space)
        guard !mechanism.isEmpty, mechanism.count <= 20 else { return .rejected(.badArgument) }
        for index in 0..<mechanism.count {
            let byte = asciiLowercased(mechanism[index])
            let ok = byte &- 0x61 < 26 || byte &- 0x30 < 10 || byte == 0x2D || byte == 0x5F
            guard ok else { return .rejected(.badArgument) }
        }
        let rest = argument.dropFirst(space).trimmed
        for index in 0..<rest.count where rest[index] <= 0x20 || rest[index] >= 0x7F { return .rejected(.badArgument) }
        return .command(.auth(mechanism: capitals(mechanism), initial: rest.isEmpty ? nil : rest.array))
    }

    private static func mail(_ argument: ByteView) -> Result {
        guard argument.hasPrefixIgnoringCase(ByteView("FROM:")) else { return .rejected(.badArgument) }
        guard let (path, parameters) = pathAndParameters(argument.dropFirst(5)) else { return .rejected(.badAddress) }
        guard let parameters else { return .rejected(.badArgument) }
        let command = MailCommand(path: path, parameters: parameters)
        if parameters.contains(where: { $0.named("SIZE") }), command.declaredSize == nil {
            return .rejected(.badArgument)
        }
        return command.needsBinary ? .rejected(.unsupportedBody) : .command(.mail(command))
    }

    private static func recipient(_ argument: ByteView) -> Result {
        guard argument.hasPrefixIgnoringCase(ByteView("TO:")) else { return .rejected(.badArgument) }
        guard let (path, parameters) = pathAndParameters(argument.dropFirst(3)), !path.isNull else {
            return .rejected(.badAddress)
        }
        guard let parameters else { return .rejected(.badArgument) }
        return .command(.recipient(RecipientCommand(path: path, parameters: parameters)))
    }

    /// The path, and the parameters or nil for wrong ones.
    private static func pathAndParameters(_ text: ByteView) -> (Path, [ESMTPParameter]?)? {
        let text = text.trimmed
        guard !text.isEmpty else { return nil }
        var inside: ByteView
        var rest: ByteView
        if text[0] == UInt8(ascii: "<") {
            guard let end = closingBracket(text) else { return nil }
            inside = text.slice(1, end)
            rest = text.dropFirst(end + 1)
        } else {
            let end = text.firstIndex(of: 0x20) ?? text.count
            inside = text.prefix(end)
            rest = text.dropFirst(end)
        }
        guard let path = Path(inside: inside) else { return nil }
        guard rest.isEmpty || rest[0] == 0x20 else { return (path, nil) }
        var parameters: [ESMTPParameter] = []
        while true {
            rest = rest.trimmed
            if rest.isEmpty { return (path, parameters) }
            let end = rest.firstIndex(of: 0x20) ?? rest.count
            guard parameters.count < 20, let parameter = ESMTPParameter(rest.prefix(end)) else { return (path, nil) }
            parameters.append(parameter)
            rest = rest.dropFirst(end)
        }
    }

    /// The bracket that closes a path, looking past quoted strings and backslashes.
    private static func closingBracket(_ text: ByteView) -> Int? {
        var quoted = false
        var index = 1
        while index < text.count {
            switch text[index] {
            case UInt8(ascii: "\\"): index += 1
            case UInt8(ascii: "\""): quoted.toggle()
            case UInt8(ascii: ">") where !quoted: return index
            default: break
            }
            index += 1
        }
        return nil
    }

    /// A line such as `Subject:`: somebody sends a message without DATA.
    private static func isHeader(_ verb: ByteView) -> Bool {
        verb.count > 1 && verb[verb.count - 1] == UInt8(ascii: ":") && isKeyword(verb.prefix(verb.count - 1))
    }
}
