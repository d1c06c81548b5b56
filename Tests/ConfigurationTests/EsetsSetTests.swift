import Glibc
import Platform
import Testing

@testable import Configuration

/// The program itself, started as an administrator starts it.
@Suite struct EsetsSetTests {
    private struct Run: Equatable {
        let code: ProcessEnd?
        let output: String
        let errors: String
    }

    /// The folder into which the test bundle was built.
    private static let products: String = {
        let arguments = CommandLine.arguments
        let bundle = arguments.firstIndex(of: "--test-bundle-path").map { arguments[$0 + 1] } ?? arguments[0]
        return Files.parent(of: bundle)
    }()

    private func run(_ scratch: Scratch, _ arguments: String...) throws -> Run {
        let (output, errors) = (scratch.paths.root + "/out", scratch.paths.root + "/err")
        let out = try Descriptor.open(output, O_RDWR | O_CREAT | O_TRUNC)
        let err = try Descriptor.open(errors, O_RDWR | O_CREAT | O_TRUNC)
        let pid = try ChildProcess.spawn(
            Self.products + "/esets_set", arguments: ["esets_set"] + arguments,
            environment: ["ESETS_ROOT": scratch.paths.root],
            descriptors: [(child: 1, parent: out.raw), (child: 2, parent: err.raw)])
        let end = try ChildProcess.wait(pid)
        return Run(code: end, output: try Files.text(output), errors: try Files.text(errors))
    }

    @Test func setGetAndUnset() throws {
        let scratch = try Scratch("# mine\n[smtp]\n")
        #expect(try run(scratch, "--section=smtp", "--set=listen_port = 2525").code == .exited(0))
        #expect(try run(scratch, "--section", "smtp", "agent_enabled", "=", "yes").code == .exited(0))
        #expect(try scratch.text() == "# mine\n[smtp]\nlisten_port = 2525\nagent_enabled = yes\n")
        #expect(try run(scratch, "--section=smtp", "--get=listen_port", "--get=server_port").output == "2525\n25\n")
        #expect(try run(scratch, "--section=smtp", "listen_port").code == .exited(0))
        #expect(try run(scratch, "--section=smtp", "--list").output == "agent_enabled = yes\n")
    }

    @Test func aWrongValueChangesNothing() throws {
        let scratch = try Scratch("[smtp]\n")
        let result = try run(
            scratch, "--section=smtp", "--set=num_proc = 2", "--set=listen_port = x", "--backup=" + scratch.path("b"))
        #expect(
            result
                == Run(
                    code: .exited(1), output: "",
                    errors: "\(scratch.path("esets.cfg")):3: listen_port must be a whole number\n"))
        #expect(try scratch.text() == "[smtp]\n")
        #expect(!Files.exists(scratch.path("b")))
    }

    @Test func backupAndApply() throws {
        let scratch = try Scratch("proxy_password = \"p\"\n")
        #expect(try run(scratch, "--backup=" + scratch.path("b"), "--set=num_proc = 3").code == .exited(0))
        #expect(try scratch.text("b") == "proxy_password = \"p\"\n")
        var info = stat()
        #expect(stat(scratch.path("b"), &info) == 0 && info.st_mode & 0o777 == 0o600)
        #expect(try run(scratch, "--list").output == "num_proc = 3\nproxy_password = \"***\"\n")
        #expect(try run(scratch, "--apply=" + scratch.path("b")).code == .exited(0))
        #expect(try scratch.text() == "proxy_password = \"p\"\n")
        try scratch.write("num_proc = 0\n", to: "bad")
        #expect(try run(scratch, "--apply=" + scratch.path("bad")).code == .exited(1))
        #expect(try scratch.text() == "proxy_password = \"p\"\n")
    }

    @Test func users() throws {
        let scratch = try Scratch("")
        #expect(
            try run(scratch, "--section=smtp", "--set=user_config = \"u.cfg\"").errors.contains("does not exist yet"))
        for user in ["black-list", "|a@b", "c@d"] {
            #expect(try run(scratch, "--section=smtp", "--user=" + user, "--create").code == .exited(0))
        }
        #expect(try run(scratch, "--section=smtp", "--user=black-list", "action_av=reject").code == .exited(0))
        #expect(try run(scratch, "--section=smtp", "--user=|a@b", "parent_id=black-list").code == .exited(0))
        #expect(try run(scratch, "--section=smtp", "--user=|a@b", "--get=action_av").output == "reject\n")
        #expect(try run(scratch, "--section=smtp", "--user=|a@b", "--last").code == .exited(0))
        #expect(try run(scratch, "--section=smtp", "--user=c@d", "--delete").code == .exited(0))
        #expect(
            try scratch.text("u.cfg") == "[black-list]\naction_av = \"reject\"\n\n[|a@b]\nparent_id = \"black-list\"\n")
        #expect(try run(scratch, "--section=smtp", "--user=|a@b", "parent_id=blacklist").code == .exited(1))
        #expect(try run(scratch, "--section=smtp", "--user=x@y", "--list").code == .exited(1))
        #expect(try run(scratch, "--check").code == .exited(0))
    }

    @Test func usageErrorsEndWith64() throws {
        let scratch = try Scratch("")
        for arguments in [
            [], ["--section=smpt", "--list"], ["--nope"], ["--delete"], ["--list=x"], ["a", "b", "c", "d"],
        ] {
            var result: Run
            switch arguments.count {
            case 0: result = try run(scratch)
            case 1: result = try run(scratch, arguments[0])
            case 2: result = try run(scratch, arguments[0], arguments[1])
            default: result = try run(scratch, "a", "b", "c", "d")
            }
            #expect(result.code == .exited(64), "\(arguments)")
            #expect(result.errors.hasPrefix("esets_set: "))
        }
    }

    @Test func printDefaultIsTheShippedFile() throws {
        let scratch = try Scratch("broken")
        let result = try run(scratch, "--print-default")
        #expect(result.output == DefaultConfiguration.text)
    }
}
