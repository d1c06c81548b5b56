// [global]: the daemon (guide chapters 5 and 7).

extension ParameterTable {
    static let daemon: [Parameter] = [
        .init(
            "daemon_sock_path", .global, .path, "/tmp/esets.sock", .daemon,
            "Socket between the agents and the daemon."),
        .init("num_proc", .global, .integer(1...1024, .count), "1", .daemon, "Number of scanning processes."),
        .init(
            "num_thrd", .global, .threads, "0", .daemon,
            "Threads of each scanning process; 0 means one per CPU, at least two."),
        .init(
            "base_dir", .global, .path, "@BASEDIR@", .daemon,
            "Directory from which modules are loaded and into which they are compiled."),
        .init(
            "license_dir", .global, .path, "@ETCDIR@/license", .daemon,
            "Directory of the licence files."),
        .init("tmp_dir", .global, .path, "/tmp", .daemon, "Directory for work files."),
        .init(
            "privileged_users", .global, .list(separator: ":"), "root", .daemon,
            "Users who may administer the daemon through its socket, with \":\" between them."),
        .init(
            "run_as_user", [.global, .services, .mda, .zmfi, .cgp, .pipe, .cli], .text, "esets", .daemon,
            "Unprivileged user under whom scanning processes and agents run."),
        .init(
            "proxy_addr", .global, .host, "", .update, "HTTP proxy for updates; empty for a direct connection."),
        .init("proxy_port", .global, .port, "3128", .update, "Port of the HTTP proxy."),
        .init("proxy_username", .global, .text, "", .update, "User name at the HTTP proxy."),
        .init("proxy_password", .global, .secret, "", .update, "Password at the HTTP proxy."),
        .init(
            "av_mail_notified_users", .global, .notifiedUsers, "", .daemon,
            "Whom to mail about a virus: \"domain:address:domain:address\". The administrator of every domain "
                + "that matches the sender or a recipient gets one mail through mail_notification_script."),
        .init(
            "license_warn_enabled", .global, .flag, "no", .obsolete, "Warned of an ending licence.",
            obsolete: "the task License expiration in scheduler_tasks"),
        .init(
            "exec_script", .global, .text, "", .obsolete, "Was run on a detected threat.",
            obsolete: "the task Threat notification in scheduler_tasks"),
    ]

    static let logging: [Parameter] = [
        .init(
            "syslog_facility", .global,
            .choice([
                "auth", "authpriv", "cron", "daemon", "ftp", "kern", "lpr", "mail", "news", "syslog", "user", "uucp",
                "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7", "none",
            ]), "daemon", .logging, "Facility for messages to syslog; none writes nothing there."),
        .init(
            "syslog_class", .global,
            .words(["error", "warning", "summall", "summ", "partall", "part", "info", "debug"]),
            "error:warning:summall", .logging,
            "Classes of messages that are logged, with \":\" between them: error, warning, summ (one line for each "
                + "object that is not clean), summall (for each object), part and partall (the same for every part "
                + "of an object), info, debug."),
        .init(
            "log_target", .global, .logTarget, "syslog", .logging,
            "Where messages go: syslog, stderr, or file:PATH."),
    ]

    static let scheduler: [Parameter] = [
        .init(
            "scheduler_tasks", .global, .schedule,
            "1;Log maintenance;;0;0 3 * * * *;@logs;"
                + "4;Automatic startup file check;;0;engine;@sscan lowest;"
                + "64;Regular automatic update;;;repeat 60;@update;"
                + "128;Threat notification;disabled;;threat;@ETCDIR@/scripts/daemon_notification_script;"
                + "129;License expiration;disabled;;licexp;@ETCDIR@/scripts/license_warning_script;",
            .scheduler,
            "Scheduled tasks: \"id;name;flags;failstart;datespec;command;\" for each, with \";\" and \"\\\" inside a "
                + "field written \"\\;\" and \"\\\\\". Empty means no tasks.")
    ]

    static let samples: [Parameter] = [
        .init("samples_enabled", .global, .flag, "no", .samples, "Collect samples of suspicious objects."),
        .init(
            "samples_send_target", .global, .words(["ras", "eset"]), "eset", .samples,
            "Where samples are sent, with \":\" between: ras (the administration server), eset (the laboratory)."),
        .init(
            "samples_send_files", .global, .choice(["no", "asap", "update"]), "update", .samples,
            "When sample files are sent: no, asap, or update (with the next update)."),
        .init(
            "samples_send_stats", .global, .choice(["no", "asap", "update"]), "update", .samples,
            "When anonymous statistics are sent: no, asap, or update."),
        .init(
            "samples_send_excl", .global, .list(separator: ":"), "", .samples,
            "File name extensions that are never sent, as in \".doc:.xls\"."),
        .init("samples_contact", .global, .text, "", .samples, "Address for questions about a sample."),
    ]

    static let remote: [Parameter] = [
        .init("racl_enabled", .global, .flag, "no", .remote, "Connect to a remote administration server."),
        .init(
            "racl_server_addr", .global, .host, "", .remote,
            "Host name or address of the administration server; one that is set enables the connection."),
        .init("racl_server_port", .global, .port, "2222", .remote, "Port of the administration server."),
        .init("racl_password", .global, .secret, "", .remote, "Password at the administration server."),
        .init(
            "racl_interval", .global, .integer(1...10080, .minutes), "10", .remote, "Minutes between two connections."),
        .init(
            "racl_logs_lifetime", .global, .integer(0...3650, .days), "30", .remote,
            "Days after which log entries for the server are removed; 0 keeps them."),
        .init("report_enabled", .global, .flag, "no", .reports, "Write mail reports."),
        .init(
            "report_domains", .global, .list(separator: ":"), "", .reports,
            "Domains to report on, with \":\" between them; \".com\" is every domain below com."),
        .init(
            "report_lifetime", .global, .integer(0...3650, .days), "30", .reports,
            "Days after which the task Log maintenance removes a report; 0 keeps them."),
    ]

    static let update: [Parameter] = [
        .init("av_update_username", .global, .text, "", .update, "User name for updates."),
        .init("av_update_password", .global, .secret, "", .update, "Password for updates."),
        .init(
            "av_update_server", .global, .text, "", .update,
            "The update server that is asked first, as in \"http://host:2221\"; empty asks those of "
                + "av_update_server_list."),
        .init(
            "av_update_server_list", .global, .list(separator: ","), "", .update,
            "Update servers in order of preference, with \",\" between them: each takes over when those before it fail. "
                + "The interfaces offer them for av_update_server."),
        .init(
            "av_update_failsafe_server", .global, .text, "", .update,
            "The update server that is asked when all others fail."),
        .init("av_update_failsafe_username", .global, .text, "", .update, "User name at that server."),
        .init("av_update_failsafe_password", .global, .secret, "", .update, "Password at that server."),
        .init(
            "av_update_root", .global, .configurationFile, "certs/update/root.json", .update,
            "The root that the operator of the update servers published: what they bring must be signed by those whom "
                + "it names. It is needed once; later ones come with updates."),
        .init(
            "av_update_timeout", .global, .integer(1...3600, .seconds), "60", .update,
            "Seconds to wait for a connection to a server, and during which nothing may come."),
        .init(
            "av_update_rate", .global, .integer(0...(1 << 40), .bytes), "0", .update,
            "Bytes a second that an update may take from the network; 0 means no limit."),
        .init(
            "av_update_ca_file", .global, .configurationFile, "", .update,
            "Certificates (PEM) of authorities of https servers, in place of those of the system."),
        .init("av_mirror_enabled", .global, .flag, "no", .mirror, "Keep copies of the update files in the mirror."),
        .init("av_mirror_dir", .global, .path, "@BASEDIR@/mirror", .mirror, "Directory of the mirror."),
        .init("av_mirror_pcu", .global, .flag, "no", .mirror, "Mirror program component updates too."),
        .init(
            "av_update_period", .global, .integer(0...100_000, .minutes), "60", .obsolete,
            "Minutes between two updates.", obsolete: "the task Regular automatic update in scheduler_tasks"),
        .init(
            "as_update_period", .global, .integer(0...100_000, .minutes), "60", .obsolete,
            "Minutes between two updates of the antispam engine.",
            obsolete: "the task Regular automatic update in scheduler_tasks"),
    ]
}
