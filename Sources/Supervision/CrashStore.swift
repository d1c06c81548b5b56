import Glibc
import Logging
import Platform

/// Objects that killed an isolated scanning process, under @CACHEDIR@/crash, for `esets_mod validate --reproduce`.
final class CrashStore {
    /// Objects that are kept; later ones are only logged, so that nobody can fill the disk.
    private static let limit = 64
    /// As long as there are fewer, those of users who run no agents are kept, too.
    private static let foreignLimit = 16
    private static let copyTime: UInt64 = 60 * 1_000_000_000

    private let directory: String
    private let loop: PollLoop
    private let children: ChildWatch
    private let program: ManagerProgram
    private let log: () -> Log
    private var kept: Set<UInt64> = []

    init(
        directory: String, loop: PollLoop, children: ChildWatch, program: ManagerProgram, log: @escaping () -> Log
    ) {
        self.directory = directory
        self.loop = loop
        self.children = children
        self.program = program
        self.log = log
    }

    /// Keeps the object of a process that died alone, once. A child copies it: the descriptor may be one that blocks.
    ///
    /// - Parameter isTrusted: it comes from one of our own agents.
    func keep(_ object: Descriptor, isTrusted: Bool, worker: UInt64, name: String, facts: String) {
        guard kept.insert(worker).inserted else { return }
        do throws(SystemError) {
            try Files.makeDirectory(directory, mode: 0o700)
            let count = try Files.names(in: directory).count { $0.hasSuffix(".object") }
            guard count < (isTrusted ? CrashStore.limit : CrashStore.foreignLimit) else {
                log().warning("\(directory) holds \(count) objects: another one that crashes is not kept: \(name)")
                return
            }
            let path = "\(directory)/\(Clock.realtime / 1_000_000_000)-\(worker)"
            try Files.replace("\(path).txt", with: Array("\(facts)name=\(name.debugDescription)\n".utf8), mode: 0o600)
            let pid = try children.start(
                program.path, arguments: program.arguments(["--keep-object=\(path).object"]),
                environment: program.environment, descriptors: [(STDIN_FILENO, object.raw)]
            ) { [unowned self] end in
                if end == .exited(0) {
                    log().warning("an object that crashes the scanner is kept as \(path).object: \(name)")
                } else {
                    log().error("\(path).object could not be written: \(end)")
                }
            }
            loop.after(CrashStore.copyTime) { [unowned self] in children.signal(pid, SIGKILL) }
        } catch {
            log().error("an object that crashes the scanner cannot be kept: \(error)")
        }
    }
}
