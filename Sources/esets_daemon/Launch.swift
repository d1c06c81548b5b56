import CLinux
import Glibc
import Programs

/// Gives up root and becomes an agent. A process of its own does this between posix_spawn and the agent, so that no
/// agent ever runs a single instruction as root.
enum Launch {
    static func run(user: String, command: [String]) -> Never {
        guard let program = command.first else { exit(ExitCode.usage) }
        if getuid() == 0 {
            var uid: UInt32 = 0
            var gid: UInt32 = 0
            var name = user
            if CLinux_find_user(name, &uid, &gid) != 0 {
                name = "nobody"
                guard CLinux_find_user(name, &uid, &gid) == 0 else { fail("find user", user) }
            }
            guard CLinux_become_user(name, uid, gid) == 0 else { fail("setuid", name) }
        }
        _ = CLinux_no_new_privileges()
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
