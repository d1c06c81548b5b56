// Scanner options: in [global] for all, in an agent's section, in a user section (guide 7.1–7.4).

extension ParameterTable {
    private static let scanner: Sections = [.global, .scanning, .user]
    /// What the scanner looks at and how far: also for clients of clamd's protocol, who decide themselves what
    /// becomes of an object.
    private static let engine: Sections = scanner.union(.clamd)

    static let actions: [Parameter] = [
        .init(
            "action_av", scanner, .action(Action.allCases, optional: false), "scan", .actions,
            "First decision on an object: scan, or accept, defer, discard or reject it without a scan."),
        .init(
            "action_av_infected", scanner, .action(ending, optional: false), "reject", .actions,
            "What becomes of an object that is infected after cleaning: accept, defer, discard or reject."),
        .init(
            "action_av_notscanned", scanner, .action(ending, optional: false), "accept", .actions,
            "What becomes of an object that could not be scanned: accept, defer, discard or reject."),
        .init(
            "action_av_deleted", scanner, .action(ending, optional: false), "accept", .actions,
            "What becomes of an object from which cleaning removed the infected part: accept, defer, discard or "
                + "reject."),
        .init(
            "action_av_crashed", scanner, .action(ending, optional: false), "defer", .actions,
            "What becomes of an object that brought the scanner down twice, whatever action_av_notscanned says: "
                + "accept, defer, discard or reject."),
        .init(
            "action_as", scanner, .action(Action.allCases, optional: true), "", .actions,
            "What becomes of mail judged spam: accept (without a virus scan), scan (on to the virus scan), defer, "
                + "discard or reject. Other mail goes on to action_av. Unset means no antispam check."),
        .init(
            "av_clean_mode", scanner, .cleanMode, "standard", .actions,
            "How far infected objects are cleaned: none, standard, strict, rigorous or delete."),
        .init(
            "av_quarantine_enabled", scanner, .flag, "no", .actions, "Keep a copy of infected objects in quarantine."),
    ]

    /// What can become of an object once its scan is over.
    private static let ending: [Action] = [.accept, .defer, .discard, .reject]

    static let targets: [Parameter] = [
        .init("av_scan_obj_files", engine, .flag, "yes", .targets, "Scan files."),
        .init("av_scan_obj_archives", engine, .flag, "yes", .targets, "Scan what is in archives."),
        .init("av_scan_obj_emails", engine, .flag, "yes", .targets, "Scan what is in e-mails."),
        .init("av_scan_obj_sfx", engine, .flag, "yes", .targets, "Scan what is in self-extracting archives."),
        .init("av_scan_obj_rtp", engine, .flag, "yes", .targets, "Scan what is in runtime-packed programs."),
        .init(
            "av_scan_passwords", engine, .list(separator: ":"), "infected:virus:password", .targets,
            "Passwords that are tried on encrypted archives and documents, with \":\" between them."),
        .init(
            "av_scan_password_words", engine, .flag, "yes", .targets,
            "Try words of a message, of its subject and of file names as passwords of what is encrypted in it."),
        .init("av_scan_pattern", engine, .flag, "yes", .targets, "Use signatures."),
        .init("av_scan_heur", engine, .flag, "yes", .targets, "Use heuristics."),
        .init("av_scan_adv_heur", engine, .flag, "yes", .targets, "Use advanced heuristics."),
        .init(
            "av_scan_phishing_urls", engine, .flag, "yes", .targets,
            "Compare links of HTML mail with what they show, where signatures name hosts to protect."),
        .init("av_scan_app_adware", engine, .flag, "yes", .targets, "Report adware."),
        .init("av_scan_app_unwanted", engine, .flag, "no", .targets, "Report potentially unwanted applications."),
        .init("av_scan_app_unsafe", engine, .flag, "no", .targets, "Report potentially unsafe applications."),
        .init(
            "av_scan_ext", engine, .list(separator: ":"), "", .targets,
            "Scan only files with these extensions, as in \".exe:.doc\"; empty means all."),
        .init(
            "av_scan_ext_exclude", engine, .list(separator: ":"), "", .targets,
            "Do not scan files with these extensions, as in \".log:.cfg\"."),
        .init(
            "av_exclude", engine, .list(separator: "::"), "", .targets,
            "Paths that are not scanned, with \"::\" between them, as in \"/path/*.*::/other*\"."),
    ]

    static let limits: [Parameter] = [
        .init(
            "av_scan_max_obj_size", engine, bytes, "0", .limits,
            "Largest object in bytes that is scanned; 0 means no limit."),
        .init(
            "av_scan_max_arch_size", engine, bytes, "0", .limits,
            "Largest object in bytes that is unpacked from an archive; 0 means no limit."),
        .init(
            "av_scan_max_arch_level", engine, .integer(1...100, .count), "10", .limits,
            "How deep objects inside objects are scanned."),
        .init(
            "av_scan_max_objects", engine, .integer(1...100_000_000, .count), "10000", .limits,
            "How many objects one scan looks at."),
        .init(
            "av_scan_max_total_size", engine, .integer(1...(1 << 50), .bytes), "1073741824", .limits,
            "Bytes that one scan unpacks altogether."),
        .init(
            "av_scan_max_ratio", engine, .integer(1...1_000_000_000, .count), "2500", .limits,
            "How many times larger than the packed data unpacked data may be."),
        .init(
            "av_scan_max_memory", engine, .integer((1 << 20)...(1 << 50), .bytes), "268435456", .limits,
            "Bytes of memory that one scan may use."),
        .init(
            "av_scan_timeout", engine, .integer(0...86400, .seconds), "0", .limits,
            "Seconds that one scan may take; 0 means no limit."),
    ]

    private static let bytes = Parameter.Kind.integer(0...(1 << 50), .bytes)

    static let modification: [Parameter] = [
        .init(
            "av_eml_header_modification", scanner, .mask(.antivirus), "yes", .modification,
            "When to add header fields: yes, no, or some of clean, cleaned, deleted, infected, notscanned with \":\" "
                + "between them."),
        .init(
            "av_eml_subject_modification", scanner, .mask(.antivirus), allButClean, .modification,
            "When to put av_eml_subject_template before the subject; values as for av_eml_header_modification."),
        .init(
            "av_eml_footnote_modification", scanner, .mask(.antivirus), allButClean, .modification,
            "When to append av_eml_footnote_template; values as for av_eml_header_modification."),
        .init(
            "av_eml_subject_template", scanner, .template, "[%avstatus%]", .modification,
            "What is put before the subject. Variables: %avstatus% %asstatus% %virus% %score% %version% %vdb% "
                + "%sender% %recipient% %subject% %date% %host% %%."),
        .init(
            "av_eml_header_template", scanner, .template, "X-EsetsResult: %avstatus%, %virus%", .modification,
            "Header field that tells the result; the variables are those of av_eml_subject_template."),
        .init(
            "av_eml_footnote_template", scanner, .template,
            "__________ Information from esets, version of virus signature database %vdb% __________\\n\\n"
                + "The message was checked by esets: %avstatus%.\\n",
            .modification,
            "What is appended to the text of a message; \\n begins a new line, the variables are those of "
                + "av_eml_subject_template."),
        .init(
            "as_eml_header_modification", scanner, .mask(.antispam), "no", .modification,
            "When to add antispam header fields: yes, no, or some of spam, likely_spam, likely_ham, ham with \":\" "
                + "between them."),
        .init(
            "as_eml_subject_modification", scanner, .mask(.antispam), "spam", .modification,
            "When to put as_eml_subject_template before the subject; values as for as_eml_header_modification."),
        .init(
            "as_eml_subject_template", scanner, .template, "[SPAM]", .modification,
            "What is put before the subject of spam, as in \"[%asstatus%]\"; empty means nothing."),
    ]

    private static let allButClean = "cleaned:deleted:infected:notscanned"

    static let antispam: [Parameter] = [
        .init(
            "as_approved_ip_list", .global, .addresses, "", .antispam,
            "Addresses from which mail is not checked for spam: 1.2.3.4, 10.0.0.0/8 or 10.0.0.1-10.0.0.9, with \",\" "
                + "between them."),
        .init(
            "as_blocked_ip_list", .global, .addresses, "", .antispam,
            "Addresses from which all mail is spam; written like as_approved_ip_list."),
        .init(
            "as_ignored_ip_list", .global, .addresses, "", .antispam,
            "Addresses of our own relays, which are passed over in Received fields; written like "
                + "as_approved_ip_list."),
        .init(
            "as_approved_domain_list", .global, .list(separator: ","), "", .antispam,
            "Domains whose mail is not spam, with \",\" between them."),
        .init(
            "as_blocked_domain_list", .global, .list(separator: ","), "", .antispam,
            "Domains that make a message spam as its sender or in its text."),
        .init(
            "as_ignored_domain_list", .global, .list(separator: ","), "", .antispam,
            "Domains that are not looked up when they occur in a message."),
        .init(
            "as_rbl_service", .global, .blockLists, "", .antispam,
            "DNS block lists for addresses, as in \"zen.spamhaus.org:127.0.0.2\", with \",\" between them."),
        .init(
            "as_dnsbl_service", .global, .blockLists, "", .antispam,
            "DNS block lists for domains in the text; written like as_rbl_service."),
        .init(
            "as_rbl_max_ips", .global, .integer(0...100, .count), "10", .antispam,
            "How many addresses of one message are looked up."),
        .init("as_spf_enabled", .global, .flag, "yes", .antispam, "Weigh the sender policy (SPF) of a message."),
        .init(
            "as_message_scan_size", scanner, bytes, "0", .antispam,
            "Largest message in bytes that is checked for spam; 0 means no limit. Less than 100 kB is not advisable."),
        .init(
            "as_score_spam", scanner, .integer(0...100, .points), "90", .antispam,
            "Score from which a message is spam."),
        .init(
            "as_score_likely_spam", scanner, .integer(0...100, .points), "70", .antispam,
            "Score from which a message is likely spam."),
        .init(
            "as_score_ham", scanner, .integer(0...100, .points), "10", .antispam,
            "Score up to which a message is surely no spam."),
    ]

    static let users: [Parameter] = [
        .init(
            "user_config", [.global, .withUsers], .configurationFile, "", .users,
            "File with sections for single users, relative to @ETCDIR@; see esets.cfg(5)."),
        .init(
            "parent_id", .user, .group, "", .users,
            "Group section of the same file whose values count where this section has none."),
    ]
}
