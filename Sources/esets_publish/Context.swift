import Glibc
import JSON
import Platform
import Programs
import TUF
import TUFRepository

/// What every command works with.
struct Context {
    let arguments: Arguments
    let command: String
    /// The repository.
    let directory: String
    /// What follows it.
    let operands: [String]

    init(_ arguments: Arguments) {
        self.arguments = arguments
        command = arguments.operands[0]
        guard arguments.operands.count > 1 else {
            Main.program.fail(usage: UsageError("\(command): the directory of the repository is missing"))
        }
        directory = Arguments.absolute(arguments.operands[1])
        operands = Array(arguments.operands.dropFirst(2))
    }

    func usage(_ message: String) -> Never { Main.program.fail(usage: UsageError(message)) }

    func fail(_ error: RepositoryError) -> Never {
        let code =
            switch error.kind {
            case .request, .keys, .source, .damaged: ExitCode.failure
            case .files: ExitCode.inputOutput
            }
        Main.program.fail(error.description, code: code)
    }

    func number(_ name: String, in range: ClosedRange<Int>) -> Int? {
        do throws(UsageError) { return try arguments.number(name, in: range) } catch {
            Main.program.fail(usage: error)
        }
    }

    func list(_ name: String) -> [String]? {
        arguments.value(name).map { $0.split { $0 == "," || $0 == " " }.map(String.init) }
    }

    var keyType: KeyType {
        guard let text = arguments.value("key-type") else { return .ed25519 }
        guard let type = KeyType(rawValue: text) else {
            usage("--key-type must be \(KeyType.allCases.map(\.rawValue).joined(separator: ", ")), not \"\(text)\"")
        }
        return type
    }

    var kind: TargetKind? {
        guard let text = arguments.value("kind") else { return nil }
        guard let kind = TargetKind(rawValue: text), kind != .delta else {
            usage("--kind must be module, signatures, antispam or pcu, not \"\(text)\"")
        }
        return kind
    }

    var now: Int64 { Int64(Clock.realtime / 1_000_000_000) }

    func keys() -> KeyRing {
        var directories = arguments.values("keys").map(Arguments.absolute)
        if directories.isEmpty { directories = ["\(directory)/keys"] }
        do throws(RepositoryError) {
            return try KeyRing(directories) { passphrase() }
        } catch {
            fail(error)
        }
    }

    func repository() -> Repository {
        do throws(RepositoryError) {
            return try Repository(directory, keys: keys(), now: now)
        } catch {
            fail(error)
        }
    }

    private func passphrase() -> String? {
        if let path = arguments.value("passphrase-file") {
            guard let text = try? Files.text(path, limit: 4096) else {
                Main.program.fail("\(path): the passphrase cannot be read", code: ExitCode.noInput)
            }
            return String(text.prefix { $0 != "\n" })
        }
        if let value = getenv("ESETS_PUBLISH_PASSPHRASE") { return String(cString: value) }
        return Terminal.secret("Passphrase of the keys: ")
    }

    /// Says what came of a change, and ends.
    func finish(_ report: PublishReport, _ members: [String: JSONValue] = [:], lines: [String] = []) -> Never {
        let code: Int32 = report.waiting.isEmpty ? ExitCode.success : 3
        if arguments.has("json") {
            var members = members
            members["published"] = .array(
                report.published.map { ["role": .string($0.role), "version": .integer($0.version)] })
            members["waiting"] = .array(
                report.waiting.map {
                    [
                        "role": .string($0.role), "signatures": .integer(Int64($0.signatures)),
                        "needed": .integer(Int64($0.needed)),
                    ]
                })
            Console.print(JSONValue.object(members).text(.pretty))
            exit(code)
        }
        for line in lines { Console.print(line) }
        for role in report.published { Console.print("published \(role.role) version \(role.version)") }
        if report.published.isEmpty, report.waiting.isEmpty { Console.print("nothing to publish") }
        for role in report.waiting {
            Console.print("waiting   \(role.role): signed by \(role.signatures) of \(role.needed) keys")
        }
        if !report.waiting.isEmpty {
            Console.print(
                "What waits lies in \(directory)/staged; with the missing keys: esets_publish sign \(directory)")
        }
        exit(code)
    }
}
