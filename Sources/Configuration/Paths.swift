/// Where everything lies: the directories of the user guide (chapter 2), all under one relocatable root.
///
/// Without a root these are the installed places (`/etc/opt/eset/esets` …). With one, every path lies
/// below it, so that a whole system can live in any folder: a test, a staging area, a second instance.
package struct Paths: Sendable, Equatable {
    /// What stands before every path: "" for the installed system, else an absolute path without a final "/".
    package let root: String
    /// The configuration file in force: `--cfg`, or `@ETCDIR@/esets.cfg`.
    package let configurationFile: String

    /// Describes the system under a root.
    ///
    /// - Parameters:
    ///   - root: an absolute directory; nil, "" and "/" mean the installed system.
    ///   - configurationFile: the value of `--cfg`, taken as it is; nil for the usual one.
    package init(root: String? = nil, configurationFile: String? = nil) {
        var bytes = Array((root ?? "").utf8)
        while bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        self.root = String(decoding: bytes, as: UTF8.self)
        self.configurationFile = configurationFile ?? (self.root + "/etc/opt/eset/esets/esets.cfg")
    }

    /// `@BASEDIR@`: modules, generations, mirror and update state.
    package var baseDirectory: String { root + "/var/opt/eset/esets/lib" }
    /// `@CACHEDIR@`: quarantine, reports, spool, logs.
    package var cacheDirectory: String { root + "/var/opt/eset/esets/cache" }
    /// `@ETCDIR@`: configuration, certificates, licences, scripts.
    package var configurationDirectory: String { root + "/etc/opt/eset/esets" }
    /// `@BINDIR@`: programs for everybody.
    package var binDirectory: String { root + "/opt/eset/esets/bin" }
    /// `@SBINDIR@`: programs for the administrator.
    package var sbinDirectory: String { root + "/opt/eset/esets/sbin" }
    /// `@LIBDIR@`: shared libraries and agents.
    package var libDirectory: String { root + "/opt/eset/esets/lib" }

    /// Immutable sets of modules that were verified together. Follows `base_dir` only through
    /// `Configuration.generationsDirectory`.
    package var generationsDirectory: String { baseDirectory + "/generations" }
    /// Copies of update files, as `esets_mird` serves them.
    package var mirrorDirectory: String { baseDirectory + "/mirror" }
    /// Times of the last updates, and what the update tool remembers.
    package var updateStateDirectory: String { baseDirectory + "/data" }
    /// Objects on their way from an agent to a scanning process.
    package var spoolDirectory: String { cacheDirectory + "/spool" }
    /// Copies of infected objects.
    package var quarantineDirectory: String { cacheDirectory + "/quarantine" }
    /// Collected samples.
    package var samplesDirectory: String { cacheDirectory + "/samples" }
    /// Mail reports by day and domain.
    package var reportsDirectory: String { cacheDirectory + "/reports" }
    /// Event, threat and scan logs for the interfaces.
    package var logsDirectory: String { cacheDirectory + "/logs" }
    /// Certificates and keys.
    package var certificatesDirectory: String { configurationDirectory + "/certs" }
    /// Public keys whose modules are trusted.
    package var moduleKeysDirectory: String { configurationDirectory + "/certs/modules" }
    /// Licence files.
    package var licenseDirectory: String { configurationDirectory + "/license" }
    /// Notification scripts.
    package var scriptsDirectory: String { configurationDirectory + "/scripts" }
    /// Logs of on-demand scans.
    package var scanLogsDirectory: String { root + "/var/log/esets" }
    /// Holds the manager's process id.
    package var pidFile: String { root + "/var/run/esets_daemon.pid" }
    /// The daemon's socket as it is without `daemon_sock_path`.
    package var daemonSocket: String { root + "/tmp/esets.sock" }

    /// The tokens of the guide, with what they stand for.
    package var tokens: [(name: String, path: String)] {
        [
            ("@BASEDIR@", baseDirectory), ("@CACHEDIR@", cacheDirectory), ("@ETCDIR@", configurationDirectory),
            ("@SBINDIR@", sbinDirectory), ("@BINDIR@", binDirectory), ("@LIBDIR@", libDirectory),
        ]
    }

    /// Replaces `@BASEDIR@`, `@CACHEDIR@`, `@ETCDIR@`, `@BINDIR@`, `@SBINDIR@` and `@LIBDIR@` wherever they
    /// occur. What a token stands for is not looked at again; other text stays as it is.
    package func expand(_ text: String) -> String {
        let at = UInt8(ascii: "@")
        let input = Array(text.utf8)
        guard input.contains(at) else { return text }
        let known = tokens.map { (name: Array($0.name.utf8), path: Array($0.path.utf8)) }
        var output: [UInt8] = []
        var index = 0
        scan: while index < input.count {
            if input[index] == at {
                for token in known where input[index...].starts(with: token.name) {
                    output += token.path
                    index += token.name.count
                    continue scan
                }
            }
            output.append(input[index])
            index += 1
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// An absolute path as it is under the root: unchanged without a root or when it lies there already.
    /// "." and ".." are resolved first, so that no value leads out of the root. A relative path is returned
    /// unchanged.
    package func relocate(_ path: String) -> String {
        guard !root.isEmpty, path.utf8.first == UInt8(ascii: "/") else { return path }
        let clean = Paths.normalized(path)
        if clean == root || clean.utf8.starts(with: (root + "/").utf8) { return clean }
        return clean == "/" ? root : root + clean
    }

    /// Tokens replaced and then taken under the root: what every path parameter goes through.
    package func resolve(_ value: String) -> String { relocate(expand(value)) }

    /// A file named in the configuration: absolute, or relative to `@ETCDIR@`.
    package func configurationPath(of name: String) -> String {
        let expanded = expand(name)
        guard expanded.utf8.first != UInt8(ascii: "/") else { return relocate(expanded) }
        return configurationDirectory + "/" + expanded
    }

    /// An absolute path without empty, "." and ".." components.
    private static func normalized(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }
}
