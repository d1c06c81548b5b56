/// Reads any bytes as esets.cfg and, behind a first NUL, a user file; checks them, asks for every value in its type
/// and edits the text. Traps when a promise of this library is broken. For fuzzing and replay tests.
package func fuzzConfiguration(_ bytes: [UInt8]) {
    let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false).map(Array.init)
    let user = parts.count > 1 ? parts[1] : []
    for diagnostic in Configuration.check(parts[0], userBytes: user) {
        precondition(!diagnostic.description.utf8.contains(0x0A), "a message of more than one line")
    }
    let main = ConfigurationFile(parsing: parts[0])
    let userFile = ConfigurationFile(parsing: user)
    fuzzEdit(main)
    fuzzEdit(userFile)
    guard
        let configuration = try? Configuration(
            main: main, path: "esets.cfg", paths: Paths(root: "/r"), userFile: { _ in .success(userFile) })
    else { return }
    for (agent, section) in Sections.names {
        fuzzValues(configuration.settings(for: agent))
        guard Sections.withUsers.contains(section) else { continue }
        // Without a user section they are the agent's own.
        for address in ["a@example.com", "@", "x@[192.0.2.1]", "", "ä"] {
            let mail = configuration.settings(
                agent: agent, recipient: address, sender: "b@example.org", clientAddress: "2001:db8::1")
            if mail.userSection != nil { fuzzValues(mail) }
            let login = configuration.settings(
                agent: agent, login: address, clientAddress: "192.0.2.1", serverAddress: "10.0.0.1")
            if login.userSection != nil { fuzzValues(login) }
        }
    }
}

/// Asks for each value in its type: what was checked must be readable.
private func fuzzValues(_ settings: Settings) {
    guard let section = Sections.named(settings.agent) else { preconditionFailure("settings of no section") }
    // Defaults have their own test.
    for name in settings.names where settings.isSet(name) {
        _ = settings.text(name)
        guard let parameter = ParameterTable.parameter(name, in: section) else { continue }
        switch parameter.kind {
        case .flag: _ = settings.flag(name)
        case .integer(let range, _):
            precondition(range.contains(settings.number(name)), "a number outside its range was accepted")
        case .port: precondition((0...65_535).contains(settings.number(name)), "no port")
        case .threads: precondition((1...1024).contains(settings.number(name)), "no number of threads")
        case .list, .words, .blockLists, .notifiedUsers: _ = settings.list(name)
        case .action(_, let optional):
            if optional { _ = settings.optionalAction(name) } else { _ = settings.action(name) }
        case .mask: _ = settings.mask(name)
        case .addresses: _ = settings.addresses(name)
        case .schedule: _ = settings.scheduledTasks
        default: break
        }
    }
}

/// What is set reads back as it was set, and the rest of the file stays.
private func fuzzEdit(_ file: ConfigurationFile) {
    guard let header = file.headers.last else { return }
    for value in ["yes", "a \"b\" # c", ""] {
        var edited = file
        guard (try? edited.set("action_av", to: value, in: header, quoted: true)) != nil else { continue }
        let read = ConfigurationFile(parsing: edited.bytes)
        precondition(read.value(of: "action_av", in: header)?.value == value, "an edit does not read back")
        precondition(read.headers == file.headers, "an edit changed a header")
        edited.unset("action_av", in: header)
        precondition(
            ConfigurationFile(parsing: edited.bytes).value(of: "action_av", in: header) == nil,
            "an unset value is still there")
    }
}
