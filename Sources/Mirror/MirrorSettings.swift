package import AgentKit
package import Configuration
import Platform

/// Everything that one load of the configuration means for the mirror. A reload makes another one.
package struct MirrorSettings: Sendable {
    /// What clients must give, as the base64 text of Basic authentication (RFC 7617); nil when all are let in.
    package var credentials: [UInt8]?
    package var directory = ""
    package var listenHost = ""
    package var listenPort: UInt16 = 2_221
    package var threads = 8
    /// At a time, for each address that is listened on.
    package var maximumConnections = 4_096
    /// Of one client, which is an IPv4 address or an IPv6 /64; 0 = any number. Those of this machine are not counted.
    package var clientConnections = 64
    /// Requests a second of one client; 0 = any number.
    package var clientRequests = 200
    /// Bytes a second to one client; 0 = as fast as possible.
    package var clientBandwidth: UInt64 = 0
    /// Seconds.
    package var timeout = 30
    /// "" = none.
    package var accessLog = ""
    /// Who may see the statistics, beside this machine.
    package var statusClients: [AddressRange] = []
    /// PEM texts; nil = HTTP without TLS.
    package var certificate: String?
    package var key: String?

    package init() {}

    package var isTLS: Bool { certificate != nil }

    /// - Throws: when the certificate cannot be read, or nobody could log in.
    package init(_ configuration: Configuration) throws(AgentError) {
        let settings = configuration.settings(for: "mird")
        directory = configuration.global.text("av_mirror_dir")
        listenHost = settings.text("listen_addr")
        listenPort = UInt16(clamping: settings.number("listen_port"))
        threads = max(1, settings.number("num_thrd"))
        maximumConnections = settings.number("mird_max_connections")
        clientConnections = settings.number("mird_client_connections")
        clientRequests = settings.number("mird_client_requests")
        clientBandwidth = UInt64(settings.number("mird_client_bandwidth"))
        timeout = settings.number("mird_timeout")
        accessLog = settings.text("mird_access_log")
        statusClients = settings.list("mird_status_clients").compactMap { AddressRange($0) }
        if settings.text("auth_mode") == "basic" {
            let (username, password) = (settings.text("username"), settings.text("password"))
            guard !username.isEmpty, !password.isEmpty else {
                throw AgentError("[mird]: auth_mode = \"basic\" needs username and password")
            }
            guard !username.contains(":") else {
                throw AgentError("[mird]: username = \"\(username)\": may not contain \":\" (RFC 7617)")
            }
            credentials = BasicCredentials.encode("\(username):\(password)")
        }
        let (certificateFile, keyFile) = (settings.text("tls_cert_file"), settings.text("tls_key_file"))
        guard !certificateFile.isEmpty || !keyFile.isEmpty else { return }
        guard !certificateFile.isEmpty, !keyFile.isEmpty else {
            throw AgentError("[mird]: HTTPS needs both tls_cert_file and tls_key_file")
        }
        do throws(SystemError) {
            certificate = try Files.text(certificateFile, limit: 1 << 20)
            key = try Files.text(keyFile, limit: 1 << 20)
        } catch {
            throw AgentError("[mird]: \(error); the agent reads it as run_as_user")
        }
    }
}
