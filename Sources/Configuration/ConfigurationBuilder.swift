extension Configuration {
    /// Makes a configuration step by step and collects everything that is wrong on the way.
    struct Builder {
        let paths: Paths
        let mainPath: String
        private(set) var diagnostics: [Diagnostic] = []
        private var hasError = false
        private var files: [String]
        /// Values by section and name.
        private var sections: [String: [String: Settings.Value]] = [:]
        private var agents: [String: Settings] = [:]
        private var users: [String: UserSections] = [:]
        /// By the names of [update:NAME], in the order of the file.
        private var upstreams: [(name: String, settings: Settings)] = []
        private var upstreamNames: [String] = []

        init(paths: Paths, mainPath: String) {
            self.paths = paths
            self.mainPath = mainPath
            files = [mainPath]
        }

        var configuration: Configuration {
            Configuration(
                paths: paths, warnings: diagnostics.filter { $0.severity == .warning }, files: files, agents: agents,
                users: users, upstreams: upstreams)
        }

        // MARK: The main file

        mutating func readMain(_ file: ConfigurationFile) {
            reportMalformed(file, mainPath)
            for block in file.blocks {
                let name = block.header ?? "global"
                if Sections.sibling.contains(name) {
                    warning(mainPath, block.line, "[\(name)] belongs to the file server product and is ignored")
                    continue
                }
                guard let section = Sections.named(name) else {
                    error(mainPath, block.line, unknownSection(name))
                    continue
                }
                var values = sections.removeValue(forKey: name) ?? [:]
                if section == .upstream, !upstreamNames.contains(name) { upstreamNames.append(name) }
                read(block, section, "[\(name)]", mainPath, into: &values)
                sections[name] = values
            }
        }

        private func unknownSection(_ name: String) -> String {
            if name.contains("@") || name.contains("|") || AddressRange(name) != nil {
                return "[\(name)] is a user section; it belongs in the file that user_config names"
            }
            let known = Sections.names.map(\.name)
            if let near = ParameterTable.nearest(name.lowercasedASCII, among: known, within: 2) {
                return "unknown section [\(name)]; did you mean [\(near)]?"
            }
            return "unknown section [\(name)]; there are [\(known.joined(separator: "], ["))] and [update:NAME]"
        }

        private mutating func reportMalformed(_ file: ConfigurationFile, _ path: String) {
            for (index, line) in file.lines.enumerated() {
                if case .malformed(let problem) = line.content { error(path, index + 1, problem) }
            }
        }

        /// Checks the values of one section.
        private mutating func read(
            _ block: ConfigurationFile.Block, _ section: Sections, _ title: String, _ path: String,
            into values: inout [String: Settings.Value]
        ) {
            for entry in block.entries {
                if isFull && hasError { return }
                guard let name = ParameterTable.canonicalName(entry.name) else {
                    let near = ParameterTable.nearestName(to: entry.name, in: section)
                    error(
                        path, entry.line,
                        "unknown parameter \(entry.name)" + (near.map { "; did you mean \($0)?" } ?? ""))
                    continue
                }
                guard let parameter = ParameterTable.parameter(name, in: section) else {
                    let places = ParameterTable.parameters(named: name).flatMap(\.sections.sectionNames)
                    error(
                        path, entry.line,
                        "\(entry.name) may not stand in \(title); it belongs in "
                            + Values.enumeration(places.map { $0 == "user" ? "a user section" : "[\($0)]" }))
                    continue
                }
                if let previous = values[name]?.origin {
                    error(
                        path, entry.line,
                        "\(entry.name) is set twice in \(title); the first time on line \(previous.line)")
                    continue
                }
                if let instead = parameter.obsolete {
                    warning(path, entry.line, "\(entry.name) is obsolete and has no effect; use \(instead)")
                }
                if let problem = Values.problem(entry.value, parameter.kind) {
                    error(path, entry.line, "\(entry.name) \(problem)")
                }
                values[name] = Settings.Value(
                    text: entry.value, origin: .init(file: path, line: entry.line), parameter: parameter)
            }
        }

        // MARK: Agents

        mutating func makeAgents() {
            let global = sections["global"] ?? [:]
            var globalBase: [String: Settings.Value] = [:]
            for parameter in ParameterTable.parameters(in: .global) {
                globalBase[parameter.name] =
                    global[parameter.name] ?? .init(text: parameter.defaultValue, origin: nil, parameter: parameter)
            }
            for (name, section) in Sections.names {
                var base = globalBase
                if section != .global {
                    let own = sections[name] ?? [:]
                    for parameter in ParameterTable.parameters(in: section) {
                        let inherited = parameter.sections.contains(.global) ? globalBase[parameter.name] : nil
                        base[parameter.name] =
                            own[parameter.name] ?? inherited
                            ?? .init(text: parameter.defaultValue, origin: nil, parameter: parameter)
                    }
                }
                agents[name] = Settings(
                    agent: name, userSection: nil, policy: 0, paths: paths, base: base, overrides: [:])
            }
            for header in upstreamNames {
                var base: [String: Settings.Value] = [:]
                for parameter in ParameterTable.parameters(in: .upstream) {
                    base[parameter.name] =
                        sections[header]?[parameter.name]
                        ?? .init(text: parameter.defaultValue, origin: nil, parameter: parameter)
                }
                let settings = Settings(
                    agent: header, userSection: nil, policy: 0, paths: paths, base: base, overrides: [:])
                upstreams.append((Sections.upstreamName(header) ?? header, settings))
            }
        }

        // MARK: User files

        mutating func readUsers(_ userFile: (String) -> Result<ConfigurationFile, ConfigurationFileProblem>) {
            var agentsOfFile: [String: [String]] = [:]
            var origins: [String: Settings.Origin] = [:]
            for (name, section) in Sections.names where Sections.withUsers.contains(section) {
                guard let settings = agents[name], let origin = settings.origin(of: "user_config"),
                    Values.problem(settings.written("user_config"), .configurationFile) == nil
                else { continue }
                let path = settings.text("user_config")
                guard !path.isEmpty else { continue }
                agentsOfFile[path, default: []].append(name)
                origins[path] = origin
            }
            for path in agentsOfFile.keys.sorted() {
                guard let names = agentsOfFile[path], let origin = origins[path] else { continue }
                switch userFile(path) {
                case .failure(let problem):
                    error(origin.file, origin.line, "user_config: \(path): \(problem.message)")
                case .success(let file):
                    files.append(path)
                    readUserFile(file, path, agents: names)
                }
            }
        }

        private struct UserBlock {
            let block: ConfigurationFile.Block
            var own: [String: Settings.Value] = [:]
            var parent: String?
        }

        private mutating func readUserFile(_ file: ConfigurationFile, _ path: String, agents names: [String]) {
            reportMalformed(file, path)
            let families = Set(names.map(Builder.family))
            var groups: [String: UserBlock] = [:]
            var patterns: [UserPattern.Family: [(block: UserBlock, pattern: UserPattern)]] = [:]
            var seen: [String: Int] = [:]
            for block in file.blocks {
                guard let header = block.header else {
                    for entry in block.entries {
                        error(path, entry.line, "\(entry.name) stands before any section of a user file")
                    }
                    continue
                }
                if let line = seen.updateValue(block.line, forKey: header.lowercasedASCII) {
                    error(path, block.line, "[\(header)] occurs twice; the first time on line \(line)")
                    continue
                }
                var user = UserBlock(block: block)
                read(block, .user, "a user section", path, into: &user.own)
                user.parent = user.own.removeValue(forKey: "parent_id").flatMap { $0.text.isEmpty ? nil : $0.text }
                place(user, header, path, families, &groups, &patterns)
            }
            let resolved = resolve(groups, path)
            for family in families {
                var nextPolicy = groups.count + 1
                let sections = (patterns[family] ?? []).map { item -> UserSections.Section in
                    merged(item.block, item.pattern, resolved, path, &nextPolicy)
                }
                for name in names where Builder.family(name) == family { users[name] = UserSections(sections) }
            }
        }

        private static func family(_ agent: String) -> UserPattern.Family {
            agent == "pop3" || agent == "imap" ? .login : .mail
        }

        /// Sorts one section under the groups or the patterns.
        private mutating func place(
            _ user: UserBlock, _ header: String, _ path: String, _ families: Set<UserPattern.Family>,
            _ groups: inout [String: UserBlock],
            _ patterns: inout [UserPattern.Family: [(block: UserBlock, pattern: UserPattern)]]
        ) {
            var problem: UserPattern.Problem?
            var understood = false
            for family in families {
                switch UserPattern.parse(header, family: family) {
                case .success(.group(let name)):
                    groups[name] = user
                    understood = true
                case .success(.pattern(let pattern)):
                    patterns[family, default: []].append((user, pattern))
                    understood = true
                case .failure(let reason):
                    problem = reason
                }
            }
            // A file shared by agents of both families may have sections that only one of them can meet.
            if !understood, let problem { error(path, user.block.line, "[\(header)]: \(problem.message)") }
        }

        private struct ResolvedGroup {
            let values: [String: Settings.Value]
            let policy: Int
        }

        /// Follows parent_id of every group; a cycle or a missing group is an error.
        private mutating func resolve(_ groups: [String: UserBlock], _ path: String) -> [String: ResolvedGroup] {
            var resolved: [String: ResolvedGroup] = [:]
            for (number, name) in groups.keys.sorted().enumerated() {
                var values: [String: Settings.Value] = [:]
                var visited: Set<String> = []
                var current: String? = name
                while let id = current, let group = groups[id] {
                    guard visited.insert(id).inserted else {
                        error(path, groups[name]?.block.line ?? 0, "[\(name)]: parent_id leads back to [\(id)]")
                        break
                    }
                    values.merge(group.own) { nearer, _ in nearer }
                    current = group.parent
                    guard visited.count < Builder.maximumGroupDepth else {
                        error(path, groups[name]?.block.line ?? 0, "[\(name)] has more than \(visited.count) parents")
                        break
                    }
                    if let current, groups[current] == nil { missing(current, group, groups.keys, path) }
                }
                resolved[name] = ResolvedGroup(values: values, policy: number + 1)
            }
            return resolved
        }

        private mutating func missing(
            _ parent: String, _ user: UserBlock, _ groups: some Collection<String>, _ path: String
        ) {
            if isFull && hasError { return }
            let near = ParameterTable.nearest(
                parent, among: groups.sorted(), within: max(1, parent.utf8.count / 3))
            let line = user.block.entries.last { $0.name == "parent_id" }?.line ?? user.block.line
            let message = "there is no group [\(parent)] in this file" + (near.map { "; did you mean \($0)?" } ?? "")
            let isKnown = diagnostics.contains { $0.line == line && $0.message == message && $0.file == path }
            if !isKnown { error(path, line, message) }
        }

        private mutating func merged(
            _ user: UserBlock, _ pattern: UserPattern, _ groups: [String: ResolvedGroup], _ path: String,
            _ nextPolicy: inout Int
        ) -> UserSections.Section {
            let header = user.block.header ?? ""
            let group = user.parent.flatMap { groups[$0] }
            if let parent = user.parent, group == nil { missing(parent, user, groups.keys, path) }
            if let group, user.own.isEmpty {
                return .init(header: header, pattern: pattern, values: group.values, policy: group.policy)
            }
            nextPolicy += 1
            let values = user.own.merging(group?.values ?? [:]) { own, _ in own }
            return .init(header: header, pattern: pattern, values: values, policy: nextPolicy)
        }

        // MARK: Messages

        /// No more messages are collected: the first ones say enough.
        private var isFull: Bool { diagnostics.count >= Builder.maximumDiagnostics }

        private static let maximumDiagnostics = 100
        private static let maximumGroupDepth = 32

        private mutating func error(_ file: String, _ line: Int, _ message: String) {
            add(.error, file, line, message)
        }

        private mutating func warning(_ file: String, _ line: Int, _ message: String) {
            add(.warning, file, line, message)
        }

        private mutating func add(_ severity: Diagnostic.Severity, _ file: String, _ line: Int, _ message: String) {
            // Warnings must never push an error out.
            guard severity == .error || !isFull else { return }
            guard !isFull || !hasError else { return }
            hasError = hasError || severity == .error
            diagnostics.append(Diagnostic(severity, file: file, line: line, message))
        }
    }
}
