import Configuration
import Platform
import Programs

/// What the command line asks for.
struct Request {
    private enum Change {
        case set(String)
        case create
        case delete
        case moveLast
        case apply(String)
    }

    private let section: String
    private let user: String?
    private var changes: [Change] = []
    private var gets: [String] = []
    private var backups: [String] = []
    private let isCheck: Bool
    /// nil: no listing; false: what is set; true: everything.
    private let listsAll: Bool?

    init(_ arguments: Arguments) throws(UsageError) {
        section = arguments.value("section") ?? "global"
        user = arguments.value("user")
        isCheck = arguments.has("check")
        listsAll = arguments.has("list") ? try arguments.choice("list", ["all"]) != nil : nil
        guard Sections.named(section) != nil else {
            let known = Sections.names.map(\.name).joined(separator: ", ")
            throw UsageError("there is no section \(section); there are \(known)")
        }
        for occurrence in arguments.occurrences {
            switch (occurrence.name, occurrence.value) {
            case ("set", let value?): changes.append(.set(value))
            case ("create", _): changes.append(.create)
            case ("delete", _): changes.append(.delete)
            case ("last", _): changes.append(.moveLast)
            case ("apply", let value?): changes.append(.apply(value))
            case ("backup", let value?): backups.append(value)
            case ("get", let value?): gets.append(value)
            default: break
            }
        }
        if !arguments.operands.isEmpty { changes.append(.set(arguments.operands.joined(separator: " "))) }
        if user == nil {
            for change in changes {
                switch change {
                case .create, .delete,
                    .moveLast where section == "global":
                    throw UsageError("the section global cannot be made, removed or moved; name one with --section")
                default: break
                }
            }
        }
        if changes.isEmpty && gets.isEmpty && backups.isEmpty && listsAll == nil && !isCheck {
            throw UsageError("nothing to do: give a command such as --set='NAME = VALUE', --get=NAME or --list")
        }
    }

    /// Carries everything out; returns the exit code.
    func run(_ paths: Paths) -> Int32 {
        do throws(ConfigurationEditError) {
            if !changes.isEmpty || !backups.isEmpty { try change(paths) }
            if isCheck { try check(paths) }
            if !gets.isEmpty || listsAll != nil { try show(paths) }
            return ExitCode.success
        } catch {
            Console.error(error.description)
            return ExitCode.failure
        }
    }

    // MARK: Changing

    private func change(_ paths: Paths) throws(ConfigurationEditError) {
        let lock = try locked(paths)
        let creates = changes.contains { if case .create = $0 { true } else { false } }
        var editor = try ConfigurationEditor(paths: paths, section: section, user: user, mayCreate: creates)
        for change in changes {
            switch change {
            case .set(let text): try editor.set(text)
            case .create: try editor.create()
            case .delete: try editor.delete()
            case .moveLast: try editor.moveLast()
            case .apply(let file): editor.replace(with: try read(file))
            }
        }
        let problems = editor.check()
        guard problems.new.isEmpty else {
            throw ConfigurationEditError(problems.new.map(\.description).joined(separator: "\n"))
        }
        for problem in problems.old { Console.error("\(problem) (this was wrong before)") }
        for file in backups { try save(editor.original ?? ConfigurationFile(parsing: []), to: file) }
        if editor.hasChanges { try editor.save() }
        for file in editor.missingUserFiles {
            Console.error("\(file) does not exist yet; the daemon will not read this configuration before it is there")
        }
        _ = consume lock
    }

    private func locked(_ paths: Paths) throws(ConfigurationEditError) -> ConfigurationLock {
        do throws(ConfigurationFileProblem) {
            return try ConfigurationFile.lock(for: paths.configurationFile)
        } catch {
            throw ConfigurationEditError(error.message)
        }
    }

    private func read(_ path: String) throws(ConfigurationEditError) -> ConfigurationFile {
        do throws(ConfigurationFileProblem) {
            return try ConfigurationFile.read(path)
        } catch {
            throw ConfigurationEditError("\(path): \(error.message)")
        }
    }

    /// A backup has passwords in it: nobody else may read a new one.
    private func save(_ file: ConfigurationFile, to path: String) throws(ConfigurationEditError) {
        do throws(ConfigurationFileProblem) {
            try file.save(to: Arguments.absolute(path), newMode: 0o600)
        } catch {
            throw ConfigurationEditError(error.message)
        }
    }

    // MARK: Showing

    private func check(_ paths: Paths) throws(ConfigurationEditError) {
        do throws(ConfigurationError) {
            for warning in try Configuration.load(paths: paths).warnings { Console.error("\(warning) (warning)") }
        } catch {
            throw ConfigurationEditError(error.description)
        }
    }

    private func show(_ paths: Paths) throws(ConfigurationEditError) {
        let editor = try ConfigurationEditor(paths: paths, section: section, user: user, mayCreate: false)
        if let user, !editor.edited.hasSection(user) {
            throw ConfigurationEditError("\(editor.path) has no section [\(user)]")
        }
        do throws(ConfigurationError) {
            let values = try editor.values()
            for name in gets {
                let canonical = ParameterTable.canonicalName(name) ?? name
                guard let found = values.first(where: { $0.parameter.name == canonical }) else {
                    throw ConfigurationError([unknown(name)])
                }
                Console.print(found.value)
            }
            guard let listsAll else { return }
            for item in values where listsAll || item.origin != nil {
                let value = item.parameter.isSecret && !item.value.isEmpty ? "***" : item.value
                Console.print("\(item.parameter.name) = " + (item.parameter.isQuoted ? "\"\(value)\"" : value))
            }
        } catch {
            throw ConfigurationEditError(error.description)
        }
    }

    private func unknown(_ name: String) -> Diagnostic {
        let kind: Sections = user == nil ? Sections.named(section) ?? .global : .user
        let near =
            ParameterTable.nearestName(to: name, in: kind).map { $0 == name ? "" : "; did you mean \($0)?" } ?? ""
        return Diagnostic(.error, file: "[\(user ?? section)]", line: 0, "there is no parameter \(name)\(near)")
    }
}
