/// What a client tells a scanning process.
package enum ScanRequest: Sendable, Equatable {
    /// Scan the object whose descriptor comes with the message, or that is in the message.
    case scan(ScanOrder)
    /// Answers to the questions of a suspended scan.
    case answers([Answer])
    /// The result is not wanted any more. The scanning process answers nothing further for this request,
    /// unless its answer was already under way.
    case cancel

    enum Code: UInt16 { case scan = 1, answers, cancel, scanContent }
}

/// One object to scan.
package struct ScanOrder: Sendable, Equatable {
    package var options: ScanOptions
    package var envelope: ScanEnvelope
    /// Name of the object, for findings and logs; empty if it has none.
    package var name: String
    /// Size of the object in bytes; what the descriptor has beyond it is not looked at.
    package var size: UInt64
    /// The object itself, `size` bytes, when no descriptor comes with the message; from version 2 on.
    package var content: ArraySlice<UInt8>?

    package init(
        options: ScanOptions, envelope: ScanEnvelope, name: String, size: UInt64, content: ArraySlice<UInt8>? = nil
    ) {
        self.options = options
        self.envelope = envelope
        self.name = name
        self.size = size
        self.content = content
    }
}

/// What a scanning process answers.
package enum ScanReply: Sendable, Equatable {
    case verdict(ScanVerdict)
    case ask([Question])
    /// There is no verdict. `ScanFailure` says whether to try again.
    case failed(ScanFailure)

    enum Code: UInt16 { case verdict = 17, ask, failed }
}

/// Why a scanning process has no verdict.
package struct ScanFailure: Sendable, Equatable {
    package enum Reason: UInt16, Sendable {
        /// Too much is under way: try again later.
        case busy = 1
        /// No modules are loaded: try again later.
        case noModules
        /// The object could not be read: another try will not help.
        case unreadable
        /// The engine failed.
        case engine
    }
    package var reason: Reason
    package var text: String

    package init(_ reason: Reason, _ text: String) {
        self.reason = reason
        self.text = text
    }
}

extension ScanRequest {
    package func message(request: UInt32) -> WireMessage {
        var writer = WireWriter()
        switch self {
        case .scan(let order):
            if let content = order.content { writer.reserve(content.count + 1_024) }
            order.write(to: &writer)
            let code: Code = order.content == nil ? .scan : .scanContent
            return WireMessage(type: code.rawValue, request: request, body: writer.bytes)
        case .answers(let answers):
            let kept = answers.prefix(WireLimits.questions)
            writer.write(UInt32(kept.count))
            for answer in kept {
                answer.question.write(to: &writer)
                writer.write(answer.result.rawValue)
                writer.write(answer.text, limit: WireLimits.answer)
            }
            return WireMessage(type: Code.answers.rawValue, request: request, body: writer.bytes)
        case .cancel:
            return WireMessage(type: Code.cancel.rawValue, request: request)
        }
    }

    /// - Throws: `WireError` when the bytes are not such a message.
    package init(_ message: WireMessage) throws(WireError) {
        guard let code = Code(rawValue: message.type) else { throw WireError(.unknownMessage, "request") }
        var reader = WireReader(message.body)
        switch code {
        case .scan:
            self = .scan(try ScanOrder(from: &reader))
        case .scanContent:
            let content = try reader.slice("object", limit: WireLimits.content)
            var order = try ScanOrder(from: &reader)
            guard order.size == UInt64(content.count) else { throw WireError(.badValue, "size of the object") }
            order.content = content
            self = .scan(order)
        case .answers:
            var answers: [Answer] = []
            for _ in 0..<(try reader.count("answers", limit: WireLimits.questions, minimumSize: 16)) {
                let question = try Question(from: &reader)
                guard let result = Answer.Result(rawValue: try reader.integer("result")) else {
                    throw WireError(.badValue, "result")
                }
                answers.append(
                    Answer(
                        question: question, result: result,
                        text: try reader.data("answer", limit: WireLimits.answer)))
            }
            self = .answers(answers)
        case .cancel:
            self = .cancel
        }
        try reader.end("request")
    }
}

extension ScanReply {
    package func message(request: UInt32) -> WireMessage {
        var writer = WireWriter()
        switch self {
        case .verdict(let verdict):
            verdict.write(to: &writer)
            return WireMessage(type: Code.verdict.rawValue, request: request, body: writer.bytes)
        case .ask(let questions):
            let kept = questions.prefix(WireLimits.questions)
            writer.write(UInt32(kept.count))
            for question in kept { question.write(to: &writer) }
            return WireMessage(type: Code.ask.rawValue, request: request, body: writer.bytes)
        case .failed(let failure):
            writer.write(failure.reason.rawValue)
            writer.write(failure.text, limit: WireLimits.verdictText)
            return WireMessage(type: Code.failed.rawValue, request: request, body: writer.bytes)
        }
    }

    /// - Throws: `WireError` when the bytes are not such a message.
    package init(_ message: WireMessage) throws(WireError) {
        guard let code = Code(rawValue: message.type) else { throw WireError(.unknownMessage, "reply") }
        var reader = WireReader(message.body)
        switch code {
        case .verdict:
            self = .verdict(try ScanVerdict(from: &reader))
        case .ask:
            var questions: [Question] = []
            for _ in 0..<(try reader.count("questions", limit: WireLimits.questions, minimumSize: 8)) {
                questions.append(try Question(from: &reader))
            }
            self = .ask(questions)
        case .failed:
            guard let reason = ScanFailure.Reason(rawValue: try reader.integer("reason")) else {
                throw WireError(.badValue, "reason")
            }
            self = .failed(ScanFailure(reason, try reader.text("text", limit: WireLimits.verdictText)))
        }
        try reader.end("reply")
    }
}

extension Question {
    func write(to writer: inout WireWriter) {
        writer.write(kind.rawValue)
        writer.write(key, limit: WireLimits.key)
    }

    init(from reader: inout WireReader) throws(WireError) {
        self.init(
            kind: Kind(rawValue: try reader.integer("kind of question")),
            key: try reader.data("key", limit: WireLimits.key))
    }
}
