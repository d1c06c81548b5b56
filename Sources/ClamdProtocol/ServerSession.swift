package import Bytes

/// One connection as the server sees it: bytes in, events out, no input or output of its own.
///
/// The caller gives all input that it holds and drops what was consumed. Content of INSTREAM is not copied: an event
/// says which bytes of the input it is.
package struct ServerSession: Sendable {
    package struct Limits: Sendable {
        /// Bytes of one command, prefix and delimiter included. A path is at most 4,096 bytes long.
        package var command = 8_192
        /// Bytes of one INSTREAM.
        package var stream: UInt64 = 100 << 20

        package init() {}
    }

    package enum Event: Sendable, Equatable {
        /// Nothing can be done before more input comes.
        case needsInput
        /// Something was consumed that says nothing: go on with the rest.
        case again
        /// Carry this out and reply in this form. `.stream`, `.descriptor`, `.beginSession` and `.endSession` never come
        /// here: they have events of their own.
        case command(Command, ReplyForm)
        /// An INSTREAM begins.
        case streamBegan
        /// These bytes of the input are its next content.
        case streamData(Range<Int>)
        /// It is complete: scan it and reply in this form.
        case streamEnded(ReplyForm)
        /// It is larger than the limit: reply, and close.
        case streamTooLong(ReplyForm)
        /// FILDES: the descriptor lies somewhere between these two bytes of the connection's input, both included,
        /// counted from 0.
        case descriptor(ReplyForm, between: UInt64, and: UInt64)
        /// Not understood or not allowed here: reply with the text, and close.
        case invalid(ReplyForm, String)
        /// The client wants nothing more, or has gone in the middle of something: what is under way is answered, then
        /// the connection is closed.
        case end
    }

    private enum State: Sendable, Equatable {
        case command
        case chunkLength(ReplyForm)
        case chunk(ReplyForm, left: UInt32)
        case descriptor(ReplyForm, since: UInt64)
        case over
    }

    private let limits: Limits
    private var state = State.command
    private var commands: UInt32 = 0
    private var streamSize: UInt64 = 0
    /// Bytes consumed so far.
    private var position: UInt64 = 0
    /// How much of the input was searched for a delimiter already.
    private var searched = 0

    /// After IDSESSION: replies are numbered, and the connection stays open.
    package private(set) var isInSession = false

    package init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// Whether the connection is between two commands.
    package var isIdle: Bool { state == .command }

    /// Whether content of an INSTREAM is expected.
    package var isInStream: Bool {
        switch state {
        case .chunkLength, .chunk: true
        default: false
        }
    }

    /// What happens next.
    ///
    /// - Parameters:
    ///   - input: everything that has come and was not consumed.
    ///   - isQuiet: nothing more has come for a moment: a bare command without a line end is complete.
    ///   - hasEnded: nothing more will come.
    /// - Returns: the event, and how many bytes of the input to drop after it was dealt with.
    package mutating func next(
        _ input: ByteView, isQuiet: Bool = false, hasEnded: Bool = false
    ) -> (event: Event, consumed: Int) {
        let (event, consumed) = step(input, isQuiet || hasEnded)
        position += UInt64(consumed)
        if event == .needsInput && hasEnded {
            state = .over
            return (.end, consumed)
        }
        return (event, consumed)
    }

    private mutating func step(_ input: ByteView, _ isQuiet: Bool) -> (Event, Int) {
        switch state {
        case .command: return readCommand(input, isQuiet)
        case .chunkLength(let form): return readLength(input, form)
        case .chunk(let form, let left):
            guard !input.isEmpty else { return (.needsInput, 0) }
            let count = min(input.count, Int(left))
            state = count == Int(left) ? .chunkLength(form) : .chunk(form, left: left - UInt32(count))
            return (.streamData(0..<count), count)
        case .descriptor(let form, let since):
            // The descriptor travels with one byte that has no meaning.
            guard !input.isEmpty else { return (.needsInput, 0) }
            state = isInSession ? .command : .over
            return (.descriptor(form, between: since, and: position), 1)
        case .over: return (.end, input.count)
        }
    }

    // MARK: - Commands

    private mutating func readCommand(_ input: ByteView, _ isQuiet: Bool) -> (Event, Int) {
        guard !input.isEmpty else { return (.needsInput, 0) }
        let first = input[0]
        let style: CommandStyle = first == UInt8(ascii: "n") ? .line : first == UInt8(ascii: "z") ? .null : .bare
        guard let end = endOfCommand(input.prefix(limits.command), style, isQuiet) else {
            guard input.count < limits.command else { return refuse(style, input.count) }
            return (.needsInput, 0)
        }
        searched = 0
        let text = trimmed(input.slice(style == .bare ? 0 : 1, end), style)
        let consumed = min(end + 1, input.count)
        // Everything inside a session is prefixed.
        let command = isInSession && style == .bare ? nil : CommandParser.parse(text, style)
        guard let command, command != .endSession || isInSession else { return refuse(style, consumed) }
        if isInSession {
            if command == .endSession {
                state = .over
                return (.end, consumed)
            }
            guard command.isAllowedInSession else { return refuse(style, consumed) }
        }
        return begin(command, nextForm(style), consumed)
    }

    private mutating func begin(_ command: Command, _ form: ReplyForm, _ consumed: Int) -> (Event, Int) {
        switch command {
        case .beginSession:
            isInSession = true
            commands = 0
            return (.again, consumed)
        case .stream:
            streamSize = 0
            state = .chunkLength(form)
            return (.streamBegan, consumed)
        case .descriptor:
            state = .descriptor(form, since: position)
            return (.again, consumed)
        default:
            if !isInSession { state = .over }
            return (.command(command, form), consumed)
        }
    }

    private mutating func nextForm(_ style: CommandStyle) -> ReplyForm {
        guard isInSession else { return ReplyForm(delimiter: style.delimiter) }
        commands &+= 1
        return ReplyForm(delimiter: style.delimiter, number: commands)
    }

    private mutating func refuse(_ style: CommandStyle, _ consumed: Int) -> (Event, Int) {
        let form = nextForm(style)
        state = .over
        return (.invalid(form, isInSession ? ReplyText.invalidInSession : ReplyText.unknown), consumed)
    }

    /// Where the command's delimiter is; where the input ends for a bare command that has none and is complete.
    private mutating func endOfCommand(_ input: ByteView, _ style: CommandStyle, _ isQuiet: Bool) -> Int? {
        let from = min(searched, input.count)
        searched = input.count
        if style != .bare { return input.firstIndex(of: style.delimiter, from: from) }
        if let end = input.firstIndex(of: 0x0A, from: from) {
            // Whatever comes first ends it.
            return input.prefix(end).firstIndex(of: 0) ?? end
        }
        if let end = input.firstIndex(of: 0, from: from) { return end }
        return isQuiet || CommandParser.isWhole(input) ? input.count : nil
    }

    private func trimmed(_ text: ByteView, _ style: CommandStyle) -> ByteView {
        guard style != .null else { return text }
        let text = text.firstIndex(of: 0).map { text.prefix($0) } ?? text
        return !text.isEmpty && text[text.count - 1] == 0x0D ? text.prefix(text.count - 1) : text
    }

    // MARK: - INSTREAM

    private mutating func readLength(_ input: ByteView, _ form: ReplyForm) -> (Event, Int) {
        guard let length = input.loadBigEndian(UInt32.self, at: 0) else { return (.needsInput, 0) }
        guard length > 0 else {
            state = isInSession ? .command : .over
            return (.streamEnded(form), 4)
        }
        guard UInt64(length) <= limits.stream, streamSize <= limits.stream - UInt64(length) else {
            state = .over
            return (.streamTooLong(form), 4)
        }
        streamSize += UInt64(length)
        state = .chunk(form, left: length)
        return (.again, 4)
    }
}
