// Sections [update:NAME]: where update files come from beside the update servers.

extension ParameterTable {
    static let upstreams: [Parameter] = [
        .init("update_enabled", .upstream, .flag, "yes", .upstream, "Ask this source."),
        .init(
            "update_kind", .upstream, .choice(["repository", "clamav", "list", "spamassassin", "maps"]), "list",
            .upstream,
            "What kind of source it is: repository (an update repository with a root of its own), clamav (a mirror of "
                + "ClamAV's databases), list (files of signatures, YARA rules, and archives of them), spamassassin (an "
                + "update channel) or maps (lists of domains, addresses and links). Only a repository can bring code."),
        .init(
            "update_server", .upstream, .list(separator: ","), "", .upstream,
            "Addresses of servers that have the same files, with \",\" between them: the first one that works is "
                + "used."),
        .init("update_username", .upstream, .text, "", .upstream, "User name at these servers."),
        .init("update_password", .upstream, .secret, "", .upstream, "Password at these servers."),
        .init(
            "update_files", .upstream, .list(separator: ","), "", .upstream,
            "What to fetch, with \",\" between: databases of ClamAV (main,daily,bytecode), or files below the servers' "
                + "addresses. \"remote/name=local.ndb\" gives a file another name here."),
        .init(
            "update_formats", .upstream, .list(separator: ":"), "", .upstream,
            "Endings of files that the source may bring, as in \"ndb:hdb\"; empty means all that its kind may bring."),
        .init(
            "update_checksum", .upstream, .list(separator: ","), "", .upstream,
            "Why a plain file is believed, unless update_key or update_keyring says so: the SHA-256 of each of "
                + "update_files with \",\" between, \"beside\" (checksums beside the files, which only show damage) or "
                + "\"tls\" (the certificate of an https server)."),
        .init(
            "update_key", .upstream, .configurationFile, "", .upstream,
            "File with an Ed25519 public key (64 hexadecimal digits) whose signatures lie beside the files as .sig."),
        .init(
            "update_keyring", .upstream, .configurationFile, "", .upstream,
            "Keyring of OpenPGP whose signatures lie beside the files as .asc; needs gpgv."),
        .init(
            "update_root", .upstream, .configurationFile, "", .upstream,
            "The root that the operator of an update repository published."),
        .init(
            "update_dns", .upstream, .text, "", .upstream,
            "Name whose TXT record tells what is newest, as current.cvd.clamav.net or "
                + "1.0.4.updates.spamassassin.org; empty asks the servers."),
        .init(
            "update_max_size", .upstream, .integer(1...(1 << 40), .bytes), "1G", .upstream,
            "Bytes that one file may have."),
        .init(
            "update_changes", .upstream, .integer(0...1000, .count), "30", .upstream,
            "How many scripts of changes, or deltas, may take the place of a whole file; 0 fetches whole files."),
        .init(
            "update_interval", .upstream, .integer(0...100_000, .minutes), "0", .upstream,
            "Minutes that must pass before the source is asked again; 0 asks at every update."),
    ]
}
