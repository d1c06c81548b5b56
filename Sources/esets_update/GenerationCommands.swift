import Configuration
import Generations
import Glibc
import JSON
import Platform
import Programs
import Updates

/// `--list`: the generations that are there, and what upstreams brought.
struct ListCommand {
    private let arguments: Arguments
    private let system: UpdateSystem

    init(_ arguments: Arguments) {
        self.arguments = arguments
        system = UpdateSystem(arguments)
    }

    private struct Entry {
        let number: UInt64
        var isCurrent = false
        var created: UInt64 = 0
        var version: UInt64 = 0
        var size: UInt64 = 0
        var problem: String?
        /// Why the daemon went back from it.
        var left: String?
    }

    func run() {
        do throws(UpdateError) {
            let entries = try generations()
            let state = try SourceState.load("\(system.paths.updateStateDirectory)/sources.json")
            if arguments.has("json") {
                Console.print(json(entries, state).text(.pretty))
            } else {
                tell(entries, state)
            }
        } catch {
            Main.program.fail(error.description)
        }
    }

    private func generations() throws(UpdateError) -> [Entry] {
        let numbers: [UInt64]
        let trust: Trust
        do throws(GenerationError) {
            numbers = try system.store.numbers()
            trust = try Trust(directory: system.paths.certificatesDirectory)
        } catch {
            throw UpdateError(error)
        }
        return numbers.map { number in
            var entry = Entry(number: number)
            entry.isCurrent = number == system.store.current
            do throws(GenerationError) {
                let manifest = try system.store.manifest(number, trust: trust)
                entry.created = manifest.created
                entry.size = manifest.files.reduce(0) { $0 &+ $1.size }
            } catch {
                entry.problem = error.description
            }
            entry.left = system.store.badness(of: number, content: "")?.reason
            entry.version =
                InstalledModule(path: "\(system.store.path(number))/em002_64.dat")?.databaseVersion ?? 0
            return entry
        }
    }

    private func tell(_ entries: [Entry], _ state: SourceState) {
        for entry in entries {
            let mark = entry.isCurrent ? "*" : " "
            let text =
                entry.problem.map { "cannot be used: \($0)" }
                ?? "signatures \(entry.version), made \(UpdateTimes.text(Int64(clamping: entry.created))), \(entry.size) bytes"
            Console.print("\(mark) generation \(entry.number): \(text)\(entry.left.map { "; left: \($0)" } ?? "")")
        }
        for (name, upstream) in state.upstreams.sorted(by: { $0.key < $1.key }) {
            var text = "  upstream \(name) (\(upstream.kind.rawValue))"
            if !upstream.version.isEmpty { text += ": \(upstream.version)" }
            text += upstream.checked > 0 ? ", asked \(UpdateTimes.text(upstream.checked))" : ", never reached"
            if let failure = upstream.failure { text += "; the last attempt failed: \(failure)" }
            Console.print(text)
        }
    }

    private func json(_ entries: [Entry], _ state: SourceState) -> JSONValue {
        .object([
            "generations": .array(
                entries.map { entry in
                    var members: [String: JSONValue] = [
                        "number": .integer(Int64(clamping: entry.number)), "current": .bool(entry.isCurrent),
                        "created": .integer(Int64(clamping: entry.created)),
                        "database_version": .integer(Int64(clamping: entry.version)),
                        "size": .integer(Int64(clamping: entry.size)),
                    ]
                    if let problem = entry.problem { members["problem"] = .string(problem) }
                    if let left = entry.left { members["left"] = .string(left) }
                    return .object(members)
                }),
            "upstreams": .array(
                state.upstreams.sorted { $0.key < $1.key }.map { name, upstream in
                    .object([
                        "name": .string(name), "kind": .string(upstream.kind.rawValue),
                        "version": .string(upstream.version), "checked": .integer(upstream.checked),
                        "updated": .integer(upstream.updated),
                        "failure": upstream.failure.map { .string($0) } ?? .null,
                        "files": .array(upstream.files.map(\.json)),
                    ])
                }),
        ])
    }
}

/// `--rollback [N]`: an older generation again, until the sources bring something else.
struct RollbackCommand {
    private let arguments: Arguments
    private let system: UpdateSystem

    init(_ arguments: Arguments) {
        self.arguments = arguments
        system = UpdateSystem(arguments)
    }

    func run() {
        do throws(UpdateError) {
            let lock = try UpdateLock(path: "\(system.paths.updateStateDirectory)/update.lock")
            let (left, target) = try choose()
            let held = HeldContent(system.paths.updateStateDirectory)
            // Before the step that counts: the next update would undo it otherwise.
            try held.hold(
                ContentIdentity(installed: system.store.path(left)), reason: "generation \(left), by --rollback")
            try system.install(target, isNew: false)
            withExtendedLifetime(lock) {}
            let version = system.databaseVersion
            if arguments.has("json") {
                Console.print(
                    JSONValue.object([
                        "generation": .integer(Int64(clamping: target)), "left": .integer(Int64(clamping: left)),
                        "database_version": .integer(Int64(clamping: version)),
                    ]).text())
            } else {
                Console.print("Generation \(target) is in use again in place of \(left).")
                Console.print("Installed virus signature database version \(version) (\(version / 100))")
            }
        } catch {
            Main.program.fail(error.description, code: error.exitCode)
        }
    }

    /// The generation in use, and the one to go to.
    private func choose() throws(UpdateError) -> (UInt64, UInt64) {
        guard let current = system.store.current else {
            throw UpdateError(.files, "no generation is in use: run esets_update first")
        }
        let numbers: [UInt64]
        do throws(GenerationError) { numbers = try system.store.numbers() } catch { throw UpdateError(error) }
        let text = arguments.value("rollback") ?? arguments.operands.first
        if let text {
            guard let number = UInt64(text), numbers.contains(number) else {
                throw UpdateError(.files, "there is no generation \(text); --list shows those that are there")
            }
            guard number != current else { throw UpdateError(.files, "generation \(number) is in use") }
            // Whoever names it wants it, though the daemon may have left it.
            do throws(GenerationError) { try system.store.forgive(number) } catch { throw UpdateError(error) }
            return (current, number)
        }
        let bad = Set(system.store.bad.map(\.number))
        guard let previous = numbers.last(where: { $0 < current && !bad.contains($0) }) else {
            throw UpdateError(.files, "there is no generation before \(current)")
        }
        return (current, previous)
    }
}
