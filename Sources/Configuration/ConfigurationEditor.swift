import Platform

/// A change of esets.cfg or of one user file: made in memory, checked as a whole, then saved at once.
///
/// What `esets_set` and the web interface change files with. Hold `ConfigurationFile.lock` from before `init` until
/// after `save`.
package struct ConfigurationEditor: Sendable {
    package let paths: Paths
    /// Section of esets.cfg that is meant, or whose users are.
    package let section: String
    /// Header of the user section that is meant; nil for the section itself.
    package let user: String?
    /// The file that is changed.
    package let path: String
    /// The file as it is on the disk; nil if there is none yet.
    package let original: ConfigurationFile?
    /// The file as it will be.
    package private(set) var edited: ConfigurationFile
    /// esets.cfg as it is on the disk.
    private let main: ConfigurationFile

    /// Reads what is there.
    ///
    /// - Parameters:
    ///   - paths: where esets.cfg lies.
    ///   - section: a section of esets.cfg.
    ///   - user: header of a user section, or nil.
    ///   - mayCreate: whether a user file that does not exist yet is taken as an empty one.
    /// - Throws: when a file cannot be read, or the section has no user file.
    package init(
        paths: Paths, section: String, user: String?, mayCreate: Bool
    ) throws(ConfigurationEditError) {
        self.paths = paths
        self.section = section
        self.user = user
        main = try ConfigurationEditor.read(paths.configurationFile)
        guard user != nil else {
            path = paths.configurationFile
            original = main
            edited = main
            return
        }
        path = try ConfigurationEditor.userFile(of: section, in: main, paths)
        if !Files.exists(path) && mayCreate {
            original = nil
            edited = ConfigurationFile(parsing: [])
            return
        }
        let file = try ConfigurationEditor.read(path)
        original = file
        edited = file
    }

    private static func read(_ path: String) throws(ConfigurationEditError) -> ConfigurationFile {
        do throws(ConfigurationFileProblem) {
            return try ConfigurationFile.read(path)
        } catch {
            throw ConfigurationEditError("\(path): \(error.message)")
        }
    }

    private static func userFile(
        of section: String, in main: ConfigurationFile, _ paths: Paths
    ) throws(ConfigurationEditError) -> String {
        guard let known = Sections.named(section), Sections.withUsers.union(.global).contains(known) else {
            throw ConfigurationEditError("[\(section)] knows no users")
        }
        let entry = main.value(of: "user_config", in: section) ?? main.value(of: "user_config", in: "global")
        guard let name = entry?.value, !name.isEmpty else {
            throw ConfigurationEditError(
                "[\(section)] has no user file; name one first: "
                    + "esets_set --section=\(section) --set='user_config = \"esets_\(section)_spec.cfg\"'")
        }
        return paths.configurationPath(of: name)
    }

    /// The section of `edited` that commands are about.
    private var header: String { user ?? section }

    // MARK: Commands

    /// `NAME = VALUE` sets, `NAME` alone unsets. The value may be in double quotes; else it is taken as it is.
    package mutating func set(_ assignment: String) throws(ConfigurationEditError) {
        let equals = assignment.firstIndex(of: "=")
        let name = String(equals.map { assignment[..<$0] } ?? assignment[...]).trimmedASCII
        let bytes = Array(name.utf8)
        guard LineParser.isName(bytes[...]) else {
            throw ConfigurationEditError("\"\(name)\" cannot be the name of a parameter; write NAME = VALUE")
        }
        let kind = user == nil ? Sections.named(section) ?? .global : .user
        guard let equals else {
            guard ParameterTable.canonicalName(name) != nil else {
                let near = ParameterTable.nearestName(to: name, in: kind).map { "; did you mean \($0)?" } ?? ""
                throw ConfigurationEditError("unknown parameter \(name)\(near)")
            }
            edited.unset(name, in: header)
            return
        }
        let text = String(assignment[assignment.index(after: equals)...]).trimmedASCII
        var value = text
        if text.begins(with: "\""), text.utf8.count > 1 {
            guard case .success(let parts) = LineParser.value(Array(text.utf8)[...]),
                parts.range.upperBound == text.utf8.count
            else { throw ConfigurationEditError("\(name): the quotes around the value are not balanced") }
            value = parts.value
        }
        if user == nil, !edited.hasSection(header) { try edited.createSection(header) }
        guard edited.hasSection(header) else {
            throw ConfigurationEditError("\(path) has no section [\(header)]; add --create to make it")
        }
        let parameter = ParameterTable.parameter(name, in: kind) ?? ParameterTable.parameters(named: name).first
        try edited.set(name, to: value, in: header, quoted: parameter?.isQuoted ?? true)
    }

    /// Makes the section.
    package mutating func create() throws(ConfigurationEditError) { try edited.createSection(header) }

    /// Removes the section.
    package mutating func delete() throws(ConfigurationEditError) { try edited.deleteSection(header) }

    /// Moves the section behind all others.
    package mutating func moveLast() throws(ConfigurationEditError) { try edited.moveLast(header) }

    /// Takes a whole other text.
    package mutating func replace(with file: ConfigurationFile) { edited = file }

    // MARK: Check and save

    /// What would be wrong after the change and is not wrong now, and what was wrong before and still is.
    package func check() -> (new: [Diagnostic], old: [Diagnostic]) {
        let before = Set(errors(with: original ?? ConfigurationFile(parsing: [])).map(\.message))
        let after = errors(with: edited)
        return (after.filter { !before.contains($0.message) }, after.filter { before.contains($0.message) })
    }

    /// Errors of the whole configuration when the file has this text.
    private func errors(with file: ConfigurationFile) -> [Diagnostic] {
        let (target, isMain) = (path, user == nil)
        do throws(ConfigurationError) {
            _ = try Configuration(main: isMain ? file : main, path: paths.configurationFile, paths: paths) { other in
                if other == target && !isMain { return .success(file) }
                // The guide names a user file first and makes it afterwards.
                if !Files.exists(other) { return .success(ConfigurationFile(parsing: [])) }
                do throws(ConfigurationFileProblem) {
                    return .success(try ConfigurationFile.read(other))
                } catch {
                    return .failure(error)
                }
            }
            return []
        } catch {
            return error.errors
        }
    }

    /// User files that esets.cfg will name and that are not there.
    package var missingUserFiles: [String] {
        guard user == nil else { return [] }
        let names = edited.blocks.flatMap(\.entries).filter { $0.name == "user_config" && !$0.value.isEmpty }
        return Set(names.map { paths.configurationPath(of: $0.value) }).filter { !Files.exists($0) }.sorted()
    }

    /// Whether anything differs from the disk.
    package var hasChanges: Bool { original?.bytes != edited.bytes }

    /// Saves the change.
    package func save() throws(ConfigurationEditError) {
        do throws(ConfigurationFileProblem) {
            try edited.save(to: path)
        } catch {
            throw ConfigurationEditError(error.message)
        }
    }

    // MARK: Reading

    /// What is in force in the section or for the user section: name, value as written, where it was set.
    package func values() throws(ConfigurationError) -> [(
        parameter: Parameter, value: String, origin: Settings.Origin?
    )] {
        let configuration = try Configuration.load(paths: paths)
        let settings = configuration.settings(for: section)
        let kind = user == nil ? Sections.named(section) ?? .global : .user
        var result: [(parameter: Parameter, value: String, origin: Settings.Origin?)] = []
        for parameter in ParameterTable.parameters(in: kind) where parameter.obsolete == nil {
            if let entry = userValue(of: parameter.name) {
                result.append((parameter, entry.value, .init(file: path, line: entry.line)))
            } else if parameter.name != "parent_id" {
                result.append((parameter, settings.written(parameter.name), settings.origin(of: parameter.name)))
            }
        }
        return result
    }

    /// The value in the user section or its groups. The configuration was loaded, so chains end.
    private func userValue(of name: String) -> ConfigurationFile.Entry? {
        var header = user
        while let current = header {
            let block = edited.blocks.first { $0.header == current }
            if let entry = block?.entries.last(where: { ParameterTable.canonicalName($0.name) == name }) {
                return entry
            }
            if name == "parent_id" { return nil }
            header = block?.entries.last { $0.name == "parent_id" }?.value
        }
        return nil
    }
}
