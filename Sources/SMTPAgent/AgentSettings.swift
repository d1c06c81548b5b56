package import Configuration
package import SMTP
import Synchronization

/// Everything that one load of the configuration means for this agent. Immutable: a reload makes another one, which
/// counts for new sessions, and for the policies of new transactions.
package final class AgentSettings: Sendable {
    /// Which server a session is for.
    package enum Role: Sendable, Equatable {
        /// A content filter: always the same next hop.
        case filter(host: String, port: UInt16)
        /// A transparent proxy: the server that the redirected client wanted.
        case transparent
    }

    /// Whether to use STARTTLS towards the next hop.
    package enum HopTLS: String, Sendable {
        case no, may, encrypt
    }

    package let role: Role
    package let listenHost: String
    package let listenPort: UInt16
    /// Number of reactor threads.
    package let threads: Int
    package let bareNewline: BareNewline
    /// Bytes; 0 = no limit.
    package let maximumSize: UInt64
    package let hopTLS: HopTLS
    /// Certificate chain and key for clients (PEM); nil offers no STARTTLS.
    package let certificate: (chain: String, key: String)?
    package let spoolDirectory: String
    package let quarantineDirectory: String
    package let limits: ServerSession.Limits
    package let timeouts: Timeouts
    /// Sessions at a time in this process.
    package let maximumSessions: Int
    /// Sessions at a time of one client address; those from this machine are not counted.
    package let maximumSessionsPerClient: Int
    /// Recipients of one message.
    package let maximumRecipients = 1000

    private let configuration: Configuration
    private let policies = Mutex<[Int: RecipientPolicy]>([:])

    package init(_ configuration: Configuration, timeouts: Timeouts = Timeouts()) {
        let settings = configuration.settings(for: "smtp")
        self.configuration = configuration
        self.timeouts = timeouts
        let server = settings.text("server_addr")
        role =
            server.isEmpty
            ? .transparent : .filter(host: server, port: UInt16(clamping: settings.number("server_port")))
        listenHost = settings.text("listen_addr")
        listenPort = UInt16(clamping: settings.number("listen_port"))
        threads = max(1, settings.number("num_thrd"))
        bareNewline = BareNewline(rawValue: settings.text("bare_newline")) ?? .reject
        maximumSize = UInt64(max(0, settings.number("max_message_size")))
        hopTLS = HopTLS(rawValue: settings.text("tls_server")) ?? .encrypt
        let chain = settings.text("tls_cert_file")
        let key = settings.text("tls_key_file")
        certificate = chain.isEmpty ? nil : (chain, key.isEmpty ? chain : key)
        spoolDirectory = configuration.paths.spoolDirectory
        quarantineDirectory = configuration.paths.quarantineDirectory
        limits = ServerSession.Limits()
        maximumSessions = settings.number("max_sessions")
        maximumSessionsPerClient = settings.number("max_sessions_per_client")
    }

    /// The policy for one recipient. What is not known is nil; the null sender is "".
    package func policy(recipient: String, sender: String, clientAddress: String?) -> RecipientPolicy {
        let settings = configuration.settings(
            agent: "smtp", recipient: recipient, sender: sender, clientAddress: clientAddress)
        return policies.withLock { known in
            if let policy = known[settings.policy] { return policy }
            let policy = RecipientPolicy(settings)
            known[settings.policy] = policy
            return policy
        }
    }
}
