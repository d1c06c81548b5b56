package import Bytes

/// Reads a server's replies out of a byte stream (RFC 5321 section 4.2.1). The server may be hostile: a line, the
/// number of lines and the whole reply are bounded, and what is no reply ends the parser for good.
package struct ReplyParser: Sendable {
    /// What a server sent that is no reply. After it nothing on the connection can be trusted.
    package enum Failure: Error, Equatable, Sendable {
        case lineTooLong
        case tooManyLines
        /// A line that does not begin with a code of 200…599 and a space, a hyphen or the line end.
        case notAReply
        /// The lines of one reply carry different codes.
        case codesDiffer
    }

    /// Longest line in octets, without its end. RFC 5321 allows 510; real servers exceed it.
    package static let maximumLine = 2048
    /// Most lines of one reply; an EHLO of today has about 20.
    package static let maximumLines = 128

    private var line: [UInt8] = []
    private var lines: [[UInt8]] = []
    private var code = 0
    private var failure: Failure?

    package init() {}

    /// Whether part of a reply was read.
    package var isInsideReply: Bool { !line.isEmpty || !lines.isEmpty }

    /// Takes bytes and adds every reply they complete, in order, to `replies`.
    /// - Parameters:
    ///   - input: what the server sent; all of it is consumed.
    ///   - replies: receives the replies.
    /// - Throws: `Failure`, then and at each later call. Replies found before it were added.
    package mutating func receive(_ input: ByteView, into replies: inout [Reply]) throws(Failure) {
        if let failure { throw failure }
        do throws(Failure) {
            var start = 0
            while start < input.count {
                let end = input.firstIndex(of: 0x0A, from: start)
                let part = input.slice(start, end ?? input.count)
                guard line.count + part.count <= Self.maximumLine + 1 else { throw .lineTooLong }
                line += part.buffer
                guard let end else { return }
                start = end + 1
                if let reply = try finishLine() { replies.append(reply) }
            }
        } catch {
            failure = error
            throw error
        }
    }

    private mutating func finishLine() throws(Failure) -> Reply? {
        if line.last == 0x0D { line.removeLast() }
        guard line.count <= Self.maximumLine else { throw .lineTooLong }
        guard line.count >= 3, line[0] &- 0x32 < 4, line[1] &- 0x30 < 10, line[2] &- 0x30 < 10 else {
            throw .notAReply
        }
        let number = Int(line[0] - 0x30) * 100 + Int(line[1] - 0x30) * 10 + Int(line[2] - 0x30)
        let separator: UInt8 = line.count > 3 ? line[3] : 0x20
        guard separator == 0x20 || separator == 0x2D else { throw .notAReply }
        if lines.isEmpty {
            code = number
        } else if code != number {
            throw .codesDiffer
        }
        guard lines.count < Self.maximumLines else { throw .tooManyLines }
        lines.append([UInt8](line.dropFirst(4)))
        line.removeAll(keepingCapacity: true)
        guard separator == 0x20 else { return nil }
        defer { lines = [] }
        return Reply(code: number, lines: lines)
    }
}
