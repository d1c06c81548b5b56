package import Glibc

/// How a child process ended.
package enum ProcessEnd: Sendable, Equatable, CustomStringConvertible {
    case exited(Int32)
    case killed(signal: Int32)

    package init(waitStatus status: Int32) {
        let signal = status & 0x7f
        self = signal == 0 ? .exited((status >> 8) & 0xff) : .killed(signal: signal)
    }

    package var description: String {
        switch self {
        case .exited(let code): "exit status \(code)"
        case .killed(let signal): "signal \(signal)"
        }
    }
}

/// Starting other programs: posix_spawn, never a bare fork.
package enum ChildProcess {
    /// Starts a program. Signals are unblocked and have their default action in the child.
    ///
    /// - Parameters:
    ///   - arguments: argv, the name first.
    ///   - descriptors: which descriptor the child sees under which number; all others are closed in it
    ///     by their close-on-exec flag.
    /// - Returns: the process id; the caller waits for it.
    package static func spawn(
        _ path: String, arguments: [String], environment: [String: String],
        descriptors: [(child: Int32, parent: Int32)] = []
    ) throws(SystemError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // Two steps, so that no source is overwritten by an earlier target; dup2 onto itself clears close-on-exec.
        let safe: Int32 = 200
        var high: [Int32] = []
        defer { for fd in high { close(fd) } }
        for (_, parent) in descriptors {
            let copy = try checked("dup") { fcntl(parent, F_DUPFD_CLOEXEC, safe) }
            high.append(copy)
        }
        for (index, pair) in descriptors.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, high[index], pair.child)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] =
            environment.sorted { $0.key < $1.key }.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in argv + envp { free(text) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, path, &actions, &attributes, &argv, &envp)
        guard code == 0 else { throw SystemError("posix_spawn", path, code: code) }
        return pid
    }

    /// Waits for a child; nil when `block` is false and it still runs.
    package static func wait(_ pid: pid_t, block: Bool = true) throws(SystemError) -> ProcessEnd? {
        var status: Int32 = 0
        let result = try checked("waitpid") { waitpid(pid, &status, block ? 0 : WNOHANG) }
        return result == 0 ? nil : ProcessEnd(waitStatus: status)
    }

    /// The environment of this process.
    package static var environment: [String: String] {
        var result: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                result[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            next += 1
        }
        return result
    }
}
