import Configuration
import Glibc
import Platform
import Programs
import Supervision

/// Starts the manager, in this process or in the background.
struct StartCommand {
    private static let alreadyRunning: Int32 = 2
    /// In the background half: where it tells that it is ready.
    private static let readiness: Int32 = 3

    let program: Program
    let arguments: Arguments
    let paths: Paths

    private var common: [String] {
        var options: [String] = []
        if let file = arguments.configurationFile { options.append("--cfg=\(file)") }
        if let root = arguments.root { options.append("--root=\(root)") }
        return options
    }

    func run() -> Never {
        if arguments.has("foreground") || arguments.has("detached") { manage() }
        startInBackground()
    }

    // MARK: - The manager

    private func manage() -> Never {
        let isDetached = arguments.has("detached")
        if isDetached { setsid() }
        let pidFile: PidFile
        do throws(PidFile.Failure) {
            pidFile = try PidFile(paths.pidFile)
        } catch {
            if case .alreadyRunning = error { program.fail(error.description, code: StartCommand.alreadyRunning) }
            program.fail(error.description)
        }
        guard let executable = Files.linkTarget("/proc/self/exe") else { program.fail("/proc is not mounted") }
        let paths = paths
        do throws(Manager.StartError) {
            let manager = try Manager(
                program: ManagerProgram(path: executable, common: common, environment: ChildProcess.environment),
                version: Product.version
            ) { () throws(ConfigurationError) in try Configuration.load(paths: paths) }
            // Its children, too, leave the terminal (or pipe) of whoever started it; errors of the start still go there.
            let terminal = isDetached ? Terminal.leave() : nil
            do throws(Manager.StartError) {
                try manager.run(handlesSignals: true) { readiness in
                    ServiceManager.tell("READY=1")
                    if isDetached { tell(readiness, terminal) }
                }
            } catch {
                terminal?.comeBack()
                throw error
            }
        } catch {
            pidFile.remove()
            program.fail(error.description)
        }
        pidFile.remove()
        exit(ExitCode.success)
    }

    /// From here on there is nobody at the terminal any more.
    private func tell(_ readiness: Manager.Readiness, _ terminal: Terminal?) {
        var byte = readiness.rawValue
        write(StartCommand.readiness, &byte, 1)
        close(StartCommand.readiness)
        terminal?.forget()
        chdir("/")
    }

    /// Standard error as it was when the daemon was started.
    private final class Terminal {
        private var saved: Int32

        private init(_ saved: Int32) { self.saved = saved }

        /// Standard input, output and error go nowhere from now on.
        static func leave() -> Terminal? {
            let saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)
            guard let null = try? Descriptor.open("/dev/null", O_RDWR) else { return nil }
            for number in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] { dup2(null.raw, number) }
            return Terminal(saved)
        }

        func comeBack() {
            if saved >= 0 { dup2(saved, STDERR_FILENO) }
        }

        func forget() {
            if saved >= 0 { close(saved) }
            saved = -1
        }
    }

    // MARK: - The caller at the terminal

    /// Starts the background half and waits until it is ready or has failed.
    private func startInBackground() -> Never {
        do throws(SystemError) {
            guard let executable = Files.linkTarget("/proc/self/exe") else {
                throw SystemError("readlink", "/proc/self/exe")
            }
            var ends: [Int32] = [-1, -1]
            _ = try checked("pipe") { pipe(&ends) }
            let (reading, writing) = (Descriptor(owning: ends[0]), Descriptor(owning: ends[1]))
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            let pid = try ChildProcess.spawn(
                executable, arguments: ["esets_daemon", "--detached"] + common, environment: ChildProcess.environment,
                descriptors: [
                    (STDIN_FILENO, STDIN_FILENO), (STDOUT_FILENO, STDOUT_FILENO), (STDERR_FILENO, STDERR_FILENO),
                    (StartCommand.readiness, writing.raw),
                ])
            exit(try outcome(of: pid, reading, writing))
        } catch {
            program.fail(error.description)
        }
    }

    private func outcome(of pid: pid_t, _ reading: Descriptor, _ writing: consuming Descriptor) throws(SystemError)
        -> Int32
    {
        // Ready comes as a byte; without one the background half ended and said why. It holds the only other end.
        while true {
            var entry = pollfd(fd: reading.raw, events: Int16(POLLIN), revents: 0)
            if poll(&entry, 1, 200) > 0 {
                var byte: UInt8 = 0
                if read(reading.raw, &byte, 1) == 1 {
                    switch Manager.Readiness(rawValue: byte) {
                    case .noModules:
                        Console.error(
                            "esets_daemon: no modules are installed: mail is deferred until esets_update has run")
                    case .notLoaded:
                        Console.error(
                            "esets_daemon: runs, but its modules are not loaded: mail is deferred; see the log and --status"
                        )
                    case .ready, nil: break
                    }
                    return ExitCode.success
                }
            }
            if let end = try ChildProcess.wait(pid, block: false) {
                if case .exited(let code) = end { return code }
                program.fail("the daemon ended at its start: \(end)")
            }
        }
    }
}
