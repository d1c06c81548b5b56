/// How the replies to one command are written.
package struct ReplyForm: Sendable, Equatable {
    /// NUL or line feed, as the command had it.
    package let delimiter: UInt8
    /// The command's number inside IDSESSION, from 1.
    package let number: UInt32?

    package init(delimiter: UInt8, number: UInt32? = nil) {
        self.delimiter = delimiter
        self.number = number
    }

    /// One reply, whole: its number, the text, the delimiter.
    package func bytes(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count + 16)
        if let number { result += Array("\(number): ".utf8) }
        result += text
        result.append(delimiter)
        return result
    }

    /// One reply, whole.
    package func bytes(_ text: String) -> [UInt8] { bytes(Array(text.utf8)) }
}

/// The replies that clients look for, word by word.
package enum ReplyText {
    package static let pong = "PONG"
    package static let reloading = "RELOADING"
    package static let unknown = "UNKNOWN COMMAND"
    package static let invalidInSession = "Command invalid inside IDSESSION. ERROR"
    package static let streamTooLong = "INSTREAM size limit exceeded. ERROR"
    package static let noDescriptor = "No file descriptor received. ERROR"
    package static let timedOut = "COMMAND READ TIMED OUT"
    /// For a command that the administrator does not allow.
    package static let unavailable = "COMMAND UNAVAILABLE"
    /// The name of what came by INSTREAM.
    package static let stream = Array("stream".utf8)

    /// `path: NAME FOUND`
    package static func found(_ object: [UInt8], _ name: String) -> [UInt8] {
        safe(object) + Array(": \(safe(name)) FOUND".utf8)
    }

    /// `path: OK`
    package static func clean(_ object: [UInt8]) -> [UInt8] { safe(object) + Array(": OK".utf8) }

    /// `path: reason. ERROR`; a stop is added where none is.
    package static func error(_ object: [UInt8], _ reason: String) -> [UInt8] {
        let text = safe(reason)
        return safe(object) + Array(": \(text)\(text.hasSuffix(".") ? "" : ".") ERROR".utf8)
    }

    /// `path: reason ERROR`, as clamd writes some of them.
    package static func plainError(_ object: [UInt8], _ reason: String) -> [UInt8] {
        safe(object) + Array(": \(safe(reason)) ERROR".utf8)
    }

    /// `fd[12]`, the name of what came by FILDES.
    package static func descriptor(_ number: Int32) -> [UInt8] { Array("fd[\(number)]".utf8) }

    /// A name of a file could hold a line end, and so a forged reply.
    private static func safe(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return bytes }
        return bytes.map { $0 < 0x20 || $0 == 0x7F ? UInt8(ascii: "?") : $0 }
    }

    private static func safe(_ text: String) -> String {
        String(decoding: safe(Array(text.utf8)), as: UTF8.self)
    }
}
