import BytesE

/// What the mail server told about a message.
package struct Envelope {
    /// Envelope sender in lower case without brackets; empty for bounces or when it is not known.
    package var sender: [UInt8] = []
    package var helo: [UInt8] = []
    package var client: [UInt8] = []

    package init() {}

    /// Whether the client called itself by a bare address, which RFC 5321 §4.1.3 wants in brackets.
    package var hasNumericHELO: Bool {
        helo.withUnsafeBufferPointer { buffer in
            let view = ByteView(buffer)
            return !view.isEmpty && view[0] != 0x5b && NetworkAddress(view) != nil
        }
    }

    /// Whether the client called itself by a name without a domain.
    package var hasUnqualifiedHELO: Bool {
        guard let first = helo.first, first != 0x5b else { return false }
        return !helo.contains(0x2e) && !helo.contains(0x3a)
    }
}
