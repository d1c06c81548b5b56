import CLinux
import Glibc
import Platform
import Programs

/// Gives up root and becomes an agent. A process of its own does this between posix_spawn and the agent, so that no
/// agent ever runs a single instruction as root.
enum Launch {
    static func run(user: String, command: [String]) -> Never {
        guard let program = command.first else { exit(ExitCode.usage) }
        if getuid() == 0 {
            guard let account = UserAccount.unprivileged(preferred: user) else { fail("find user", user) }
            do throws(SystemError) { try account.become() } catch { fail("setuid", account.name) }
        }
        _ = CLinux_no_new_privileges()
        // An agent whose manager is gone finishes its messages and ends; the next manager starts its own.
        _ = CLinux_signal_when_parent_ends(SIGTERM)
        // A reload that comes before the agent listens for it must not end it; the agent has just read its configuration.
        signal(SIGHUP, SIG_IGN)
        var argv: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        argv[0] = strdup(program.split(separator: "/").last.map(String.init) ?? program)
        execv(program, &argv)
        fail("exec", program)
    }

    private static func fail(_ call: String, _ what: String) -> Never {
        Console.error("esets_daemon: \(call) \(what): \(String(cString: strerror(errno)))")
        exit(ExitCode.system)
    }
}
