import AgentKit
import EventLoop
import TLS

/// TLS of both sides, as one load of the configuration wants it.
struct AgentTLS: Sendable {
    private let server: TLSServerContext?
    private let client: TLSClientContext?

    init(_ settings: AgentSettings) throws(AgentError) {
        do throws(TLSError) {
            server = try settings.certificate.map { files throws(TLSError) in
                try TLSServerContext(certificate: files.chain, key: files.key)
            }
            client = settings.hopTLS == .no ? nil : try TLSClientContext()
        } catch {
            throw AgentError("tls_cert_file, tls_key_file: \(error)")
        }
    }

    /// Whether clients can be offered STARTTLS.
    var hasCertificate: Bool { server != nil }

    /// The server's side of a handshake.
    func accept(_ stream: Stream, deadline: Deadline) async throws(StreamError) {
        guard let server else { throw .security("no certificate") }
        let dropped = try await stream.startTLS(
            try engine { () throws(TLSError) in try server.engine() }, deadline: deadline)
        // Input in clear text behind STARTTLS: somebody may have injected it.
        guard dropped == 0 else { throw .security("plain text after STARTTLS") }
    }

    /// The client's side of a handshake. Certificates are not verified: next hops of mail seldom have one that
    /// could be, and the guide's next hop is the local mail server.
    func connect(_ stream: Stream, to target: Target, deadline: Deadline) async throws(StreamError) {
        guard let client else { throw .security("not configured") }
        let made = try engine { () throws(TLSError) in try client.engine(name: target.host, policy: .encrypt) }
        let dropped = try await stream.startTLS(made, deadline: deadline)
        guard dropped == 0 else { throw .security("plain text after STARTTLS") }
    }

    private func engine(_ make: () throws(TLSError) -> TLSEngine) throws(StreamError) -> TLSEngine {
        do throws(TLSError) { return try make() } catch { throw .security(error.description) }
    }
}
