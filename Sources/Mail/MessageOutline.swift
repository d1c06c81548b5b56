import Bytes
import MIME

/// How a message is built, as far as rewriting it needs to know: made by one walk over it, then only asked.
/// Ranges are byte offsets in the message.
package struct MessageOutline: Sendable {
    /// What a range of a message is for the cleaning policy.
    package enum Kind: Sendable, Equatable {
        /// The body of a part that the reader sees as a file, or an attached message.
        case attachment
        /// A file written into the text of a part (uuencode and the like).
        case block
        /// The text that the reader sees as the message.
        case text
        /// Part of something signed or encrypted: it must not be altered.
        case protected
        /// No part known of.
        case unknown
    }

    /// One entity (RFC 2045 section 2.4).
    struct Part: Sendable, Equatable {
        enum Structure: Sendable, Equatable {
            case leaf, multipart, message
            /// Text before or after the parts of a multipart. It has no header.
            case gap
        }
        /// Its header fields with their line endings, without the empty line.
        var header: Range<Int>
        var body: Range<Int>
        var structure: Structure = .leaf
        var parent: Int?
        /// Lower case, "text/plain" when it names none.
        var mediaType: [UInt8] = []
        /// Label as given; empty if none.
        var charset: [UInt8] = []
        var encoding: TransferEncoding = .identity
        /// Whether it says that it is an attachment, or has a file name.
        var isFile = false
        /// Signed or encrypted, or inside such a part.
        var isProtected = false
        /// Whether it belongs to the text that the reader sees at once.
        var isShownText = false
    }

    /// The message itself first, then depth-first; never empty.
    var parts: [Part]
    /// The line ending of the message: CR LF, LF or CR.
    var lineEnding: [UInt8]
    /// The fields of the message's own header, in order; no more than `mostFields`.
    var fields: [HeaderField]
    /// Whether these are all of them.
    var hasAllFields: Bool

    /// Where the header of the message begins, after an mbox line.
    var headerStart: Int { parts[0].header.lowerBound }
    /// Where fields can be appended to it.
    var headerEnd: Int { parts[0].header.upperBound }

    /// Whether the whole content may be replaced by a notice.
    var canReplaceContent: Bool { !parts[0].isProtected }

    /// - Parameter body: raw body of the smallest part that holds an object (`ObjectInfo.rootRange`).
    /// - Returns: what may be done with it.
    package func kind(ofBody body: Range<UInt64>) -> Kind {
        guard let range = Self.range(body), let index = part(holding: range) else { return .unknown }
        let part = parts[index]
        if part.isProtected { return .protected }
        if part.structure == .multipart { return .unknown }
        if part.structure == .gap { return .block }
        if part.body == range || part.encoding != .identity { return part.isShownText ? .text : .attachment }
        // Something in the text of an unencoded part: only that goes.
        return part.structure == .leaf ? .block : .unknown
    }

    /// Whether this is the body of a part.
    func hasPart(body: Range<UInt64>) -> Bool {
        guard let range = Self.range(body) else { return false }
        return parts.contains { $0.body == range }
    }

    /// Whether this is the body of an attached message whose bytes stand in this message as they are.
    func isUnencodedMessage(body: Range<UInt64>) -> Bool {
        guard let range = Self.range(body) else { return false }
        return parts.contains { $0.structure == .message && $0.encoding == .identity && $0.body == range }
    }

    /// The innermost part whose body holds a range.
    func part(holding range: Range<Int>) -> Int? {
        var best: Int?
        for (index, part) in parts.enumerated()
        where part.body.lowerBound <= range.lowerBound && range.upperBound <= part.body.upperBound {
            if let current = best, parts[current].body.count < part.body.count { continue }
            best = index
        }
        return best
    }

    static func range(_ range: Range<UInt64>) -> Range<Int>? {
        guard let low = Int(exactly: range.lowerBound), let high = Int(exactly: range.upperBound) else { return nil }
        return low..<high
    }
}
