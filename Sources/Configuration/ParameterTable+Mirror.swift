// The HTTP mirror: what guide chapter 8.3 does not name.

extension ParameterTable {
    static let mirrorServer: [Parameter] = [
        .init(
            "tls_cert_file", .mird, .path, "", .tls,
            "Certificate chain (PEM): the mirror is served over HTTPS; empty for HTTP. Read as run_as_user."),
        .init("tls_key_file", .mird, .path, "", .tls, "Private key (PEM) of that certificate. Read as run_as_user."),
        .init(
            "mird_max_connections", .mird, .integer(1...1_000_000, .count), "4096", .limits,
            "Connections at a time for each address that is listened on; more wait until one ends."),
        .init(
            "mird_client_connections", .mird, .integer(0...1_000_000, .count), "64", .limits,
            "Connections at a time of one client, which is an IPv4 address or an IPv6 network of 64 bits; further ones are "
                + "closed. 0 means no limit. Programs of this machine are not limited here and below."),
        .init(
            "mird_client_requests", .mird, .integer(0...1_000_000, .count), "200", .limits,
            "Requests a second of one client, twice as many after a pause; further ones are answered 429. 0 means no "
                + "limit."),
        .init(
            "mird_client_bandwidth", .mird, .integer(0...(1 << 40), .bytes), "0", .limits,
            "Bytes a second that are sent to one client, shared by its connections; 0 means no limit."),
        .init(
            "mird_timeout", .mird, .integer(1...86_400, .seconds), "30", .limits,
            "Seconds in which a client must send a request, after it connected or got its last answer, and seconds without "
                + "any progress. An answer may take one second more for each 4 KiB."),
        .init(
            "mird_access_log", .mird, .path, "", .logging,
            "File to which each request is written, in the combined log format; run_as_user must be able to write it. "
                + "SIGHUP opens it anew. Empty for none."),
        .init(
            "mird_status_clients", .mird, .addresses, "", .agent,
            "Addresses that may read /metrics, /status and /status.json, beside programs of this machine."),
    ]
}
