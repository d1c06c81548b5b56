/// A configuration that was checked as a whole: every value is right, every user file is read.
///
/// Immutable; a reload makes another one. Values are inherited in this order, the later one counting:
/// built-in default, [global], the agent's section, the groups of a user section, the user section.
package struct Configuration: Sendable {
    package let paths: Paths
    /// What is worth telling the administrator though it prevents nothing.
    package let warnings: [Diagnostic]
    /// All files it was made from, the main file first.
    package let files: [String]
    let agents: [String: Settings]
    let users: [String: UserSections]
    /// The sections [update:NAME], by NAME, in the order of the file.
    package let upstreams: [(name: String, settings: Settings)]

    /// The built-in defaults, for programs that may not read the file but must find the daemon.
    package static func builtIn(paths: Paths) -> Configuration {
        var builder = Builder(paths: paths, mainPath: paths.configurationFile)
        builder.makeAgents()
        return builder.configuration
    }

    /// Makes a configuration from texts, without any I/O.
    ///
    /// - Parameters:
    ///   - main: the parsed esets.cfg.
    ///   - path: its path, for messages.
    ///   - paths: where everything lies.
    ///   - userFile: gives a parsed user file for the path to which a `user_config` resolves, or says why not.
    /// - Throws: everything that is wrong in any of the files.
    package init(
        main: ConfigurationFile, path: String, paths: Paths,
        userFile: (String) -> Result<ConfigurationFile, ConfigurationFileProblem>
    ) throws(ConfigurationError) {
        var builder = Builder(paths: paths, mainPath: path)
        builder.readMain(main)
        builder.makeAgents()
        builder.readUsers(userFile)
        if builder.diagnostics.contains(where: { $0.severity == .error }) {
            throw ConfigurationError(builder.diagnostics)
        }
        self = builder.configuration
    }

    init(
        paths: Paths, warnings: [Diagnostic], files: [String], agents: [String: Settings],
        users: [String: UserSections], upstreams: [(name: String, settings: Settings)]
    ) {
        self.paths = paths
        self.warnings = warnings
        self.files = files
        self.agents = agents
        self.users = users
        self.upstreams = upstreams
    }

    /// The values of an agent without any user section; "global" for those of the daemon. Another name traps.
    package func settings(for agent: String) -> Settings {
        guard let settings = agents[agent] else { preconditionFailure("there is no agent \(agent)") }
        return settings
    }

    /// The values of [global].
    package var global: Settings { settings(for: "global") }

    /// Agents with `agent_enabled = yes`, in the order of the shipped file.
    package var enabledAgents: [String] {
        Sections.names.filter { $0.section != .global }.map(\.name).filter { settings(for: $0).flag("agent_enabled") }
    }

    /// The values for one recipient of a message (guide 7.2, 7.3). What is not known is nil; the null sender is
    /// "". Messages whose recipients get settings with different `policy` numbers must be treated apart.
    package func settings(
        agent: String, recipient: String?, sender: String?, clientAddress: String?
    ) -> Settings {
        let base = settings(for: agent)
        guard let sections = users[agent] else { return base }
        let client = clientAddress.flatMap(IPAddress.init)
        return base.with(
            sections.first(
                first: recipient.map(MailAddress.init), second: sender.map(MailAddress.init),
                addresses: (nil, nil, client)))
    }

    /// The values for one login at a mailbox server (pop3, imap).
    package func settings(
        agent: String, login: String?, clientAddress: String?, serverAddress: String?
    ) -> Settings {
        let base = settings(for: agent)
        guard let sections = users[agent] else { return base }
        return base.with(
            sections.first(
                first: login.map(MailAddress.init), second: nil,
                addresses: (nil, clientAddress.flatMap(IPAddress.init), serverAddress.flatMap(IPAddress.init))))
    }

    /// Whether any agent or user asks for the antispam engine.
    package var usesAntispam: Bool {
        agents.values.contains { $0.agent != "global" && $0.optionalAction("action_as") != nil }
            || users.values.contains { $0.values(of: "action_as").contains { !$0.isEmpty } }
    }

    /// The daemon's socket.
    package var daemonSocket: String { global.text("daemon_sock_path") }

    /// Where generations of modules lie: below `base_dir`.
    package var generationsDirectory: String { global.text("base_dir") + "/generations" }
}

/// Why a user file cannot be had.
package struct ConfigurationFileProblem: Error, Sendable {
    package let message: String

    package init(_ message: String) { self.message = message }
}

extension Settings {
    /// With the values of a user section.
    func with(_ section: UserSections.Section?) -> Settings {
        guard let section else { return self }
        return Settings(
            agent: agent, userSection: section.header, policy: section.policy, paths: paths, base: base,
            overrides: section.values)
    }
}
