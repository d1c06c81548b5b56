import Configuration
import Generations
import Glibc
import Platform
import Programs
import ScanProtocol
import ScanService
import Supervision

/// The process is a scanning process, or a canary.
struct ScannerRole {
    let arguments: Arguments
    let paths: Paths

    func run() -> Never {
        // The manager ends it, over its socket; a signal to the whole group (Ctrl-C, systemd) must not lose scans.
        for number in [SIGTERM, SIGINT, SIGHUP] { signal(number, SIG_IGN) }
        signal(SIGPIPE, SIG_IGN)
        let control = controlSocket
        guard control != nil || arguments.has("canary") else { exit(ExitCode.usage) }
        let log: @Sendable (WorkerReport.LogLevel, String) -> Void = { level, text in
            guard let control else { return Console.error("esets_daemon: \(text)") }
            // One packet, sent at once: may come between the messages of other threads.
            for packet in WorkerReport.log(level, text).message.packets {
                try? UnixSocket.send(control, packet, flags: Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
            }
        }
        let configuration = (try? Configuration.load(paths: paths)) ?? Configuration.builtIn(paths: paths)
        let base = configuration.global.text("base_dir")
        let generation = arguments.value("canary").flatMap(UInt64.init)
        let engine = ModuleEngine(
            store: GenerationStore(base: base), certificates: paths.certificatesDirectory, isCanary: generation != nil,
            log: log)
        let own = Files.parent(of: Files.linkTarget("/proc/self/exe") ?? "/")
        do throws(SystemError) {
            try Sandbox.enter(
                user: arguments.value("user") ?? "nobody",
                readable: [base, paths.certificatesDirectory, "\(own)/../lib", own]
            ) { log(.warning, $0) }
            if let generation {
                // The manager ends a canary that hangs; the update tool, which tries one without a daemon, only waits.
                if control == nil { alarm(UInt32(ManagerProgram.canarySeconds)) }
                exit(
                    Canary.run(
                        control: control, engine: engine, generation: generation, samples: samples,
                        reference: reference))
            }
            var settings = ScanServerSettings()
            settings.threads = arguments.value("threads").flatMap(Int.init) ?? 2
            settings.isIsolated = arguments.has("alone")
            guard let control else { exit(ExitCode.usage) }
            try ScanServer(control: control, engine: engine, settings: settings) { reason in
                log(.error, reason)
                abort()
            }.run()
            exit(0)
        } catch {
            log(.error, "the scanning process cannot work: \(error)")
            exit(1)
        }
    }
}

extension ScannerRole {
    /// The socket to the manager, if it was the manager that started this process. The update tool starts a canary too,
    /// when no daemon runs.
    private var controlSocket: Descriptor? {
        var info = stat()
        guard fstat(ManagerProgram.controlDescriptor, &info) == 0, info.st_mode & S_IFMT == S_IFSOCK else { return nil }
        return Descriptor(owning: ManagerProgram.controlDescriptor)
    }

    /// What a canary compares with.
    private var reference: Canary.Reference? {
        guard let generation = arguments.value("reference").flatMap(UInt64.init),
            let percent = arguments.value("slowdown").flatMap(UInt64.init)
        else { return nil }
        return Canary.Reference(generation: generation, percent: percent)
    }

    /// Objects that a canary is to survive.
    private var samples: [Descriptor] {
        let count = arguments.value("samples").flatMap(Int32.init) ?? 0
        guard count > 0, count <= ManagerProgram.samples else { return [] }
        return (0..<count).map { Descriptor(owning: ManagerProgram.firstSample + $0) }
    }
}

/// The process keeps an object that crashed the scanner.
enum KeepRole {
    static func run(_ path: String) -> Never { exit(KeepObject.run(path: path)) }
}
