#if MODULE_WORLD
    import BytesE
#else
    import Bytes
#endif

/// One step of a walk over a message: a part, or the beginning or end of a multipart.
package struct MIMEPart: Sendable {
    package enum Kind: Sendable, Equatable {
        /// A part that holds content: text, an attachment, a message/rfc822.
        case leaf
        /// A multipart begins; its parts follow, one level deeper. The body reaches to the message's end.
        case multipart
        /// The multipart of this depth ended; header and body are its whole ranges.
        case multipartEnd
        /// Text before the first boundary of a multipart, that clients do not show. Only when it is not blank.
        case preamble
        /// Text after the final boundary. Only when it is not blank.
        case epilogue
    }
    package var kind: Kind
    /// 0 = the message itself.
    package var depth: Int
    /// Header of the part in the message's bytes, the empty line not included.
    package var header: Range<Int>
    /// Body as it stands in the message's bytes, encoded, without the line end that belongs to the next boundary.
    package var body: Range<Int>
    /// Media type in lower case; "text/plain" when none is given, "message/rfc822" in a multipart/digest.
    package var mediaType: [UInt8]
    package var encoding: TransferEncoding
    /// Encodings that other readers may see, because the header names several or writes one oddly. For scanners.
    package var otherEncodings: [TransferEncoding] = []
    /// Label of the character set as given; empty when there is none.
    package var charset: [UInt8]
    /// File names as UTF-8, the likeliest first; empty when there is none.
    package var names: [[UInt8]]
    /// Content-Disposition in lower case, e.g. "attachment"; empty when there is none.
    package var disposition: [UInt8]
    /// The boundary of a multipart; empty when it is still to be guessed, unless `hasEmptyBoundary`.
    package var boundary: [UInt8]
    /// The boundary is empty by this reading, so that "--" alone is a delimiter.
    package var hasEmptyBoundary = false
    /// How many parts a multipart had; valid in `.multipartEnd`.
    package var partCount: Int

    /// Whether the media type is this one, or begins with it when it ends with a slash.
    package func isType(_ literal: StaticString) -> Bool {
        mediaType.withUnsafeBufferPointer { buffer in
            let type = ByteView(buffer)
            let wanted = ByteView(literal)
            if wanted.count > 0, wanted[wanted.count - 1] == 0x2F { return type.hasPrefix(wanted) }
            return type.equals(wanted)
        }
    }

    /// Whether the part is a message of its own.
    package var isMessage: Bool { isType("message/rfc822") || isType("message/global") || isType("message/news") }

    /// Whether a client shows it as an attachment: it is declared so, or has a name.
    package var isAttachment: Bool {
        disposition.withUnsafeBufferPointer { ByteView($0).equals(ByteView("attachment")) } || !names.isEmpty
    }
}
