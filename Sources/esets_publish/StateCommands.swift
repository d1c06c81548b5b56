import Glibc
import JSON
import Programs
import TUF
import TUFRepository

/// `esets_publish prune`, `list` and `check`
struct StateCommands {
    let context: Context

    init(_ context: Context) { self.context = context }

    func run() {
        guard context.operands.isEmpty else { context.usage("\(context.command) takes one directory") }
        let repository = context.repository()
        switch context.command {
        case "prune": prune(repository)
        case "list": list(repository)
        default: check(repository)
        }
    }

    private func prune(_ repository: Repository) {
        do throws(RepositoryError) {
            let removed = try repository.prune(keep: context.number("keep", in: 1...100_000) ?? 10)
            if context.arguments.has("json") {
                Console.print(
                    JSONValue.object([
                        "files": .integer(Int64(removed.files)), "bytes": .integer(Int64(removed.bytes)),
                    ]).text(.pretty))
            } else {
                Console.print("removed \(removed.files) files, \(removed.bytes) bytes")
            }
        } catch {
            context.fail(error)
        }
    }

    private func list(_ repository: Repository) {
        let entries = repository.entries
        if context.arguments.has("json") {
            let targets = entries.map { entry -> JSONValue in
                [
                    "path": .string(entry.path), "role": .string(entry.role),
                    "length": .integer(Int64(entry.file.length)),
                    "sha256": .string(Hexadecimal.text(entry.file.hashes.sha256 ?? [])), "custom": entry.file.custom,
                ]
            }
            let waiting = repository.waiting.map { JSONValue.string($0) }
            Console.print(JSONValue.object(["targets": .array(targets), "waiting": .array(waiting)]).text(.pretty))
            return
        }
        for entry in entries {
            let length = String(entry.file.length)
            let column = String(repeating: " ", count: max(0, 12 - length.utf8.count)) + length
            Console.print("\(column)  \(entry.role)  \(entry.path)")
        }
        for role in repository.waiting { Console.print("waiting for signatures: \(role)") }
    }

    private func check(_ repository: Repository) {
        let result = repository.check()
        if context.arguments.has("json") {
            Console.print(json(result).text(.pretty))
        } else if context.arguments.has("prometheus") {
            Console.write(metrics(result))
        } else {
            for role in result.roles {
                let keys = "\(role.keysAtHand) of \(role.keys) keys at hand, \(role.threshold) needed"
                var line = "\(role.name) version \(role.version): \(duration(role.expiresIn)) left, \(keys)"
                if role.expiresIn > 0, role.expiresIn < role.period / 4 { line += "; sign it soon" }
                Console.print(line)
            }
            Console.print("\(result.targets) targets, \(result.bytes) bytes")
            for role in repository.waiting { Console.print("waiting for signatures: \(role)") }
            for problem in result.problems { Console.error("esets_publish: \(problem)") }
            if result.problems.isEmpty { Console.print("good") }
        }
        exit(result.problems.isEmpty ? ExitCode.success : ExitCode.failure)
    }

    private func duration(_ seconds: Int64) -> String {
        let hours = max(0, seconds) / 3_600
        return hours < 72 ? "\(hours) hours" : "\(hours / 24) days"
    }

    private func json(_ result: RepositoryCheck) -> JSONValue {
        [
            "good": .bool(result.problems.isEmpty), "problems": .array(result.problems.map { .string($0) }),
            "targets": .integer(Int64(result.targets)), "bytes": .integer(Int64(result.bytes)),
            "roles": .array(
                result.roles.map { role in
                    [
                        "name": .string(role.name), "version": .integer(role.version),
                        "expires_in": .integer(role.expiresIn), "keys": .integer(Int64(role.keys)),
                        "keys_at_hand": .integer(Int64(role.keysAtHand)),
                        "threshold": .integer(Int64(role.threshold)),
                    ]
                }),
        ]
    }

    private func metrics(_ result: RepositoryCheck) -> String {
        var text = ""
        func family(_ name: String, _ help: String, _ rows: [String]) {
            text += "# HELP esets_repository_\(name) \(help)\n# TYPE esets_repository_\(name) gauge\n"
            for row in rows { text += "esets_repository_\(name)\(row)\n" }
        }
        family(
            "expires_seconds", "Seconds until the metadata of a role counts no more.",
            result.roles.map { "{role=\"\($0.name)\"} \($0.expiresIn)" })
        family(
            "version", "Version of the metadata of a role.", result.roles.map { "{role=\"\($0.name)\"} \($0.version)" })
        family("targets", "Targets that clients find.", [" \(result.targets)"])
        family("target_bytes", "Bytes of all targets.", [" \(result.bytes)"])
        family("problems", "What keeps clients from something.", [" \(result.problems.count)"])
        return text
    }
}
