// Agent sections (guide chapters 7.2, 7.7, 8.3 and 10).

extension ParameterTable {
    /// Every agent section.
    private static let everyAgent: Sections = [.scanning, .clamd, .mird, .wwwi]

    static let agents: [Parameter] = common + connections + smtp + clamd + mirrorServer

    private static let common: [Parameter] = [
        .init("agent_enabled", everyAgent, .flag, "no", .agent, "Let the daemon run this agent."),
        .init("num_proc", everyAgent, .integer(1...1024, .count), "1", .agent, "Number of processes of this agent."),
        .init("num_thrd", everyAgent, .integer(1...1024, .count), "8", .agent, "Threads of each process."),
    ]

    private static let connections: [Parameter] = [
        .init(
            "listen_addr", [.smtp, .pop3, .imap], .host, "localhost", .agent,
            "Address or host name on which the agent accepts connections."),
        .init(
            "listen_addr", .mird, .host, "", .agent,
            "Address or host name on which the mirror is served; empty means all addresses."),
        .init(
            "listen_addr", .wwwi, .host, "", .agent,
            "Address or host name on which the web interface is served; the agent does not start without one."),
        .init("listen_port", .smtp, .port, "2526", .agent, "Port of the agent; 2525 is usual for outbound mail."),
        .init("listen_port", .pop3, .port, "8110", .agent, "Port to which connections for port 110 are redirected."),
        .init("listen_port", .imap, .port, "8143", .agent, "Port to which connections for port 143 are redirected."),
        .init("listen_port", .mird, .port, "2221", .agent, "Port of the mirror."),
        .init("listen_port", .wwwi, .port, "38000", .agent, "Port of the web interface (HTTPS)."),
        .init(
            "server_addr", [.smtp, .pop3, .imap], .host, "", .agent,
            "Server to which the agent connects; empty means the server that the redirected client wanted."),
        .init("server_port", .smtp, .port, "25", .agent, "Port of the server; 2525 for a Postfix content filter."),
        .init("server_port", .pop3, .port, "110", .agent, "Port of the server."),
        .init("server_port", .imap, .port, "143", .agent, "Port of the server."),
        .init(
            "smfi_sock_path", .smfi, .path, "/var/run/esets_smfi.sock", .agent,
            "Socket on which the mail server reaches the filter."),
        .init(
            "smfi_inet", .smfi, .endpoint, "", .agent,
            "\"host:port\" on which the mail server reaches the filter, in place of the socket."),
        .init(
            "mda_path", .mda, .program, "", .agent,
            "The mail delivery agent that really delivers; it gets the arguments before \"--\" unchanged."),
        .init(
            "gwia_smtphome", .gwia, .path, "/var/spool/gwia/esets", .agent,
            "Directory in which the GroupWise gateway leaves and expects messages (its --smtphome)."),
        .init(
            "gwia_dhome", .gwia, .path, "/var/spool/gwia/queues", .agent,
            "Directory of the gateway's queues (its --dhome)."),
        .init(
            "gwia_poll", .gwia, .integer(1...3600, .seconds), "5", .agent,
            "Seconds between two looks into the directories where the system cannot report changes."),
        .init(
            "auth_mode", .mird, .choice(["none", "basic"]), "none", .agent,
            "Whether clients of the mirror must log in: none or basic."),
        .init("username", [.mird, .wwwi], .text, "", .agent, "User name that clients must give."),
        .init(
            "password", [.mird, .wwwi], .secret, "", .agent,
            "Password that clients must give; the web interface does not start without one."),
    ]

    private static let smtp: [Parameter] = [
        .init(
            "bare_newline", .smtp, .choice(["reject", "normalize"]), "normalize", .agent,
            "What to do with a CR or LF that stands alone in a message: reject the message, or normalize it to CRLF. "
                + "Passing it on would let a second, unscanned message through."),
        .init(
            "max_message_size", .smtp, .integer(0...(1 << 40), .bytes), "134217728", .limits,
            "Largest message in bytes that is accepted, announced as SIZE; a smaller limit of the server counts "
                + "first. 0 means no limit of our own."),
        .init(
            "max_sessions", .smtp, .integer(1...1_000_000, .count), "1000", .limits,
            "Sessions at a time; further clients are answered 421."),
        .init(
            "max_sessions_per_client", .smtp, .integer(1...1_000_000, .count), "50", .limits,
            "Sessions at a time of one client address; those from this machine are not counted."),
        .init(
            "tls_cert_file", .smtp, .path, "", .tls,
            "Certificate chain (PEM) for STARTTLS towards clients; empty offers no STARTTLS."),
        .init("tls_key_file", .smtp, .path, "", .tls, "Private key (PEM) of that certificate."),
        .init(
            "tls_server", .smtp, .choice(["no", "may", "encrypt"]), "no", .tls,
            "STARTTLS towards the server: no, may (if it offers it) or encrypt (defer mail if it does not)."),
    ]
}
