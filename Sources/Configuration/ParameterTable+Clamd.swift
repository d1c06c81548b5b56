// The agent that speaks clamd's protocol.

extension ParameterTable {
    static let clamd: [Parameter] = clamdPlaces + clamdLimits + clamdVerdicts

    private static let clamdPlaces: [Parameter] = [
        .init(
            "clamd_sock_path", .clamd, .path, "/var/run/esets_clamd.sock", .agent,
            "Unix socket on which clients of clamd are served; empty means none."),
        .init(
            "clamd_sock_mode", .clamd, .choice(["600", "660", "666"]), "666", .agent,
            "Who may connect to it: its owner (600), its group too (660), or everybody (666)."),
        .init(
            "clamd_sock_owner", .clamd, .text, "", .agent,
            "Owner of the socket, as in \"esets:mail\"; empty leaves it to root."),
        .init(
            "listen_addr", .clamd, .host, "", .agent,
            "Address or host name on which clients are served over TCP; empty means none. There is no "
                + "authentication: whoever connects can have files of this machine scanned (clamd_scan_paths)."),
        .init("listen_port", .clamd, .port, "3310", .agent, "Port of the agent."),
        .init(
            "clamd_scan_paths", .clamd, .list(separator: ":"), "/", .agent,
            "Directories below which SCAN, CONTSCAN, MULTISCAN and ALLMATCHSCAN may look, with \":\" between them; empty "
                + "refuses these commands. Files are opened with the rights of run_as_user."),
        .init(
            "clamd_follow_links", .clamd, .flag, "no", .agent,
            "Follow symbolic links that these commands meet, as long as they stay below the same directory of "
                + "clamd_scan_paths."),
        .init(
            "clamd_allmatch", .clamd, .flag, "yes", .agent,
            "Allow ALLMATCHSCAN, which goes on looking after the first threat in a file."),
        .init(
            "clamd_reload_users", .clamd, .list(separator: ":"), "root", .agent,
            "Users who may send RELOAD over the Unix socket, with \":\" between them; \"*\" is everybody, over TCP too. The "
                + "agent's own user always may."),
        .init(
            "clamd_version", .clamd, .template, "esets %version%/%vdb%/%date%", .agent,
            "Answer to VERSION. Variables: %version%, %vdb% (the signature database's number) and %date% (its date). Put "
                + "\"ClamAV 1.4.0\" in place of \"esets %version%\" for clients that look for it."),
    ]

    private static let clamdLimits: [Parameter] = [
        .init(
            "clamd_stream_max", .clamd, .integer(1...(1 << 40), .bytes), "104857600", .limits,
            "Largest INSTREAM in bytes; a larger one is answered with an error."),
        .init(
            "clamd_max_connections", .clamd, .integer(1...1_000_000, .count), "1000", .limits,
            "Connections at a time in each process; more wait until one ends."),
        .init(
            "clamd_max_scans", .clamd, .integer(1...100_000, .count), "64", .limits,
            "Scans at a time in each process; more wait for their turn."),
        .init(
            "clamd_max_session", .clamd, .integer(1...10_000, .count), "32", .limits,
            "Unanswered commands of one IDSESSION; the agent reads no more before one is answered."),
        .init(
            "clamd_max_depth", .clamd, .integer(0...1_000, .count), "15", .limits,
            "Levels of directories that the scanning commands go down."),
        .init(
            "clamd_cache", .clamd, .integer(0...10_000_000, .count), "0", .limits,
            "How many clean objects each process remembers, 24 bytes for each, so that the same content is not scanned "
                + "again before the modules change; 0 remembers none. Worth it for file servers, hardly for mail."),
        .init(
            "clamd_command_timeout", .clamd, .integer(1...86_400, .seconds), "30", .limits,
            "Seconds in which a client must send its command, and seconds that an IDSESSION may be idle."),
        .init(
            "clamd_read_timeout", .clamd, .integer(1...86_400, .seconds), "120", .limits,
            "Seconds in which an INSTREAM must be sent, with one more for each 16 KiB."),
        .init(
            "clamd_scan_timeout", .clamd, .integer(1...86_400, .seconds), "900", .limits,
            "Seconds after which a scan is given up and answered with an error."),
    ]

    private static let clamdVerdicts: [Parameter] = [
        .init(
            "clamd_notscanned", .clamd, .choice(["error", "found", "ok"]), "error", .actions,
            "Answer for an object that was not scanned as a whole, e.g. because of a password: error, found (with a name "
                + "that begins with \"Heuristics.\") or ok."),
        .init(
            "clamd_heuristic_score", .clamd, .integer(1...100, .points), "100", .actions,
            "Points from which a finding of the heuristics is answered with FOUND; 100 are a threat, less are a "
                + "suspicion."),
    ]
}
