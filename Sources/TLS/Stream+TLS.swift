package import EventLoop

extension Stream {
    /// Turns the connection into an encrypted one, in place: for STARTTLS after the go-ahead was written or read,
    /// and for connections that are encrypted from the start.
    ///
    /// What was written goes out in plain text first. Plain text that the peer sent too early is dropped and never
    /// taken for protected input. When this throws, the connection is of no further use: close it.
    ///
    /// - Parameters:
    ///   - engine: from a context; used for this connection alone.
    ///   - deadline: of the whole handshake.
    /// - Returns: how many bytes of early plain text were dropped; worth a warning when not 0.
    /// - Throws: `.security` with the reason, also when the peer's certificate is not accepted; `.closed`, `.reset`,
    ///   `.timedOut`, `.cancelled`, `.system`.
    @discardableResult
    package func startTLS(_ engine: TLSEngine, deadline: Deadline) async throws(StreamError) -> Int {
        try await install(engine, deadline: deadline)
    }
}
