package import Bytes
import CTLS
package import EventLoop

/// One end of a TLS connection as a state machine: bytes in, bytes out, no I/O.
///
/// Not Sendable: it belongs to one connection. A stream drives it (`Stream.startTLS`), or a test.
package final class TLSEngine: StreamFilter {
    private let session: OpaquePointer
    /// The handshake is complete, and the peer's certificate accepted as far as the policy demands.
    package private(set) var isEstablished = false
    /// The peer has sent close_notify.
    package private(set) var isEnded = false
    private var isFinished = false
    private var hasFailed = false

    /// Takes over a session of the shim.
    init(owning session: OpaquePointer) {
        self.session = session
    }

    deinit {
        CTLS_session_free(session)
    }

    /// Begins; a client's first message is appended to `wire`.
    package func start(wire: inout [UInt8]) throws(StreamError) {
        try negotiate(&wire)
    }

    /// Takes bytes from the network. See `StreamFilter`.
    package func receive(_ bytes: ByteView, plain: InputBuffer, wire: inout [UInt8]) throws(StreamError) {
        guard !hasFailed else { throw .security("the connection has failed before") }
        guard CTLS_put(session, bytes.base, UInt32(clamping: bytes.count)) == CTLS_DONE else {
            throw fail("out of memory")
        }
        if !isEstablished { try negotiate(&wire) }
        while isEstablished && !isEnded {
            // A record holds at most 16 KiB of plain text, and is read in one piece.
            let room = plain.reserve(16_384)
            var count: UInt32 = 0
            let (result, reason) = withErrorText { text, capacity in
                CTLS_read(session, room.baseAddress, UInt32(clamping: room.count), &count, text, capacity)
            }
            if result == CTLS_DONE {
                plain.commit(Int(count))
            } else {
                take(&wire)
                if result == CTLS_WANT { return }
                if result != CTLS_END { throw fail(reason) }
                isEnded = true
            }
        }
        take(&wire)
    }

    /// Encrypts. Traps nothing: before the handshake and after the end it throws.
    package func send(_ bytes: ByteView, wire: inout [UInt8]) throws(StreamError) {
        guard isEstablished, !isFinished, !hasFailed else { throw .closed }
        guard !bytes.isEmpty else { return }
        guard let count = UInt32(exactly: bytes.count) else { throw .overflow }
        let (result, reason) = withErrorText { text, capacity in
            CTLS_write(session, bytes.base, count, text, capacity)
        }
        take(&wire)
        guard result == CTLS_DONE else { throw fail(reason) }
    }

    /// Appends close_notify to `wire`.
    package func finish(wire: inout [UInt8]) {
        guard isEstablished, !isFinished, !hasFailed else { return }
        isFinished = true
        CTLS_finish(session)
        take(&wire)
    }

    // MARK: - What was agreed

    /// For a header line or a log: "TLSv1.3", "TLS_AES_256_GCM_SHA384", 256.
    package var agreement: (version: String, cipher: String, bits: Int) {
        (
            CTLS_version(session).map { String(cString: $0) } ?? "",
            CTLS_cipher(session).map { String(cString: $0) } ?? "", Int(CTLS_cipher_bits(session))
        )
    }

    /// Server side: the host name that the client asked for (SNI).
    package var requestedName: String? { CTLS_requested_name(session).map { String(cString: $0) } }

    /// SHA-256 of the peer's certificate; nil when it showed none.
    package var peerFingerprint: [UInt8]? {
        var digest = [UInt8](repeating: 0, count: 32)
        return CTLS_peer_fingerprint(session, &digest) == 1 ? digest : nil
    }

    // MARK: - Internal

    private func negotiate(_ wire: inout [UInt8]) throws(StreamError) {
        let (result, reason) = withErrorText { text, capacity in CTLS_handshake(session, text, capacity) }
        // Also when it failed: the peer shall learn why from the alert.
        take(&wire)
        switch result {
        case CTLS_DONE: isEstablished = true
        case CTLS_WANT: return
        case CTLS_END: throw fail("the peer ended the handshake")
        default: throw fail(reason)
        }
    }

    private func fail(_ reason: String) -> StreamError {
        hasFailed = true
        return .security(reason)
    }

    private func take(_ wire: inout [UInt8]) {
        let count = Int(CTLS_pending(session))
        guard count > 0 else { return }
        wire.append(addingCapacity: count) { CTLS_take(session, $0.baseAddress, UInt32(count)) }
    }
}

extension [UInt8] {
    /// Appends what the body writes into room for `count` bytes.
    fileprivate mutating func append(
        addingCapacity count: Int, _ body: (UnsafeMutableBufferPointer<UInt8>) -> UInt32
    ) {
        let piece = [UInt8](unsafeUninitializedCapacity: count) { buffer, length in length = Int(body(buffer)) }
        if isEmpty { self = piece } else { append(contentsOf: piece) }
    }
}
