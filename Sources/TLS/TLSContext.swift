import CTLS

/// Certificates, keys and policy for many connections. TLS 1.2 and later.
///
/// `@unchecked Sendable`: the context is never changed after its making, and OpenSSL counts its uses atomically.
private final class Handle: @unchecked Sendable {
    let raw: OpaquePointer

    init(owning raw: OpaquePointer) {
        self.raw = raw
    }

    deinit {
        CTLS_context_free(raw)
    }
}

/// What a server shows: certificate and key.
package struct TLSServerContext: Sendable {
    private let handle: Handle

    /// Reads PEM files. The certificate file begins with the server's own and goes on with the intermediate ones.
    ///
    /// Make a new context to take renewed files into use; sessions under way keep the old one.
    package init(certificate: String, key: String) throws(TLSError) {
        let made = withErrorText { text, capacity in CTLS_server_context(certificate, key, text, capacity) }
        guard let raw = made.value else { throw TLSError(subject: "\(certificate), \(key)", reason: made.error) }
        handle = Handle(owning: raw)
    }

    /// An engine for one accepted connection.
    package func engine() throws(TLSError) -> TLSEngine {
        guard let session = CTLS_session_server(handle.raw) else {
            throw TLSError(subject: "server session", reason: "out of memory")
        }
        return TLSEngine(owning: session)
    }
}

/// How much a client insists on.
package enum TLSPolicy: Sendable, Hashable {
    /// No TLS, even where it is offered.
    case none
    /// TLS where it is offered, whatever certificate is shown; plain text otherwise (RFC 7435).
    case may
    /// TLS or nothing, whatever certificate is shown.
    case encrypt
    /// TLS or nothing, with a certificate that the authorities vouch for and that names the host or address.
    case verify(host: String)
}

/// What a client trusts, and its own certificate if it has one.
package struct TLSClientContext: Sendable {
    private let handle: Handle

    /// - Parameters:
    ///   - authorities: PEM file or hashed folder of trusted certificates; nil for the system's.
    ///   - certificate: the client's own chain, PEM; nil for none.
    ///   - key: its key, PEM; nil when it is in the same file.
    /// - Throws: when a file cannot be read or does not hold what it should.
    package init(authorities: String? = nil, certificate: String? = nil, key: String? = nil) throws(TLSError) {
        let made = withErrorText { text, capacity in
            CTLS_client_context(authorities, certificate, key, text, capacity)
        }
        guard let raw = made.value else {
            let files = [authorities, certificate, key].compactMap { $0 }
            throw TLSError(subject: files.joined(separator: ", "), reason: made.error)
        }
        handle = Handle(owning: raw)
    }

    /// An engine for one connection.
    ///
    /// - Parameters:
    ///   - name: what is asked for (SNI) where the policy names no host; nil or an address: nothing is asked for.
    ///   - policy: `.none` makes no sense here and is taken as `.encrypt`.
    /// - Returns: an engine that has not started yet.
    /// - Throws: when the name to verify cannot be one.
    package func engine(name: String?, policy: TLSPolicy) throws(TLSError) -> TLSEngine {
        var host = name
        var verify: Int32 = 0
        if case .verify(let wanted) = policy {
            host = wanted
            verify = 1
        }
        if let given = host, given.isEmpty || given.utf8.contains(0) {
            guard verify == 0 else { throw TLSError(subject: given, reason: "not a host name") }
            host = nil
        }
        guard let session = CTLS_session_client(handle.raw, host, verify) else {
            throw TLSError(subject: host ?? "client session", reason: "not a host name")
        }
        return TLSEngine(owning: session)
    }
}

/// Calls a function of the shim that explains a failure.
func withErrorText<T>(_ body: (UnsafeMutablePointer<CChar>?, UInt32) -> T) -> (value: T, error: String) {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { text in
        text.initialize(repeating: 0)
        let value = body(text.baseAddress, UInt32(text.count))
        return (value, text.baseAddress.map { String(cString: $0) } ?? "")
    }
}
