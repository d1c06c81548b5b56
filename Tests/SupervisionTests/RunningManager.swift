// swift-format-ignore-file: NeverForceUnwrap

import Configuration
import Glibc
import Platform
import ScanClient
import ScanProtocol
import Supervision
import Synchronization
import Testing

/// A manager in a thread of the test, with real child processes that scan with the fake engine.
final class RunningManager: Sendable {
    let root: String
    private let thread: Mutex<pthread_t?>
    /// What it told when it was there.
    let readiness = Mutex<Manager.Readiness?>(nil)

    private static let counter = Atomic<Int>(0)

    /// - Parameters:
    ///   - configuration: lines of [global] and other sections.
    ///   - generations: directories to make; the first is the current one. "2 broken" makes the file "broken" in 2.
    ///   - agentEndTime: nanoseconds after which an agent that does not end is killed.
    ///   - prepare: is given the root before the manager is started.
    init(
        _ configuration: String = "", generations: [String] = ["1"], agentEndTime: UInt64? = nil,
        prepare: (String) throws -> Void = { _ in }
    ) throws {
        let number = RunningManager.counter.wrappingAdd(1, ordering: .relaxed).newValue
        let root = "/tmp/esv-\(getpid())-\(number)"
        self.root = root
        try Files.remove(root)
        for generation in generations { try RunningManager.make(generation, root) }
        if let first = generations.first?.split(separator: " ").first {
            symlink(String(first), "\(root)/var/opt/eset/esets/lib/generations/current")
        }
        thread = Mutex(nil)
        try configure(configuration)
        try prepare(root)
        try start(agentEndTime)
    }

    private static func make(_ generation: String, _ root: String) throws {
        let words = generation.split(separator: " ")
        let path = "\(root)/var/opt/eset/esets/lib/generations/\(words[0])"
        try Files.makeDirectory(path)
        for file in words.dropFirst() { try Files.replace("\(path)/\(file)", with: []) }
    }

    func make(generation: String) throws { try RunningManager.make(generation, root) }

    func configure(_ text: String) throws {
        let defaults = [
            "num_proc": "2", "num_thrd": "2", "run_as_user": "nobody", "log_target": "file:/log",
            "syslog_class": "error:warning:summall:info:debug", "scheduler_tasks": "\"\"",
        ]
        // The first line is the header; what the test sets begins on the second.
        let added = defaults.filter { !text.contains("\($0.key) =") }.sorted { $0.key < $1.key }
        let lines = added.map { "\($0.key) = \($0.value)" }.joined(separator: "\n")
        let parts = text.split(separator: "[", maxSplits: 1, omittingEmptySubsequences: false)
        let sections = parts.count > 1 ? "[\(parts[1])" : ""
        let file = "[global]\n\(parts[0])\(lines)\n\(sections)"
        try Files.makeDirectory("\(root)/etc/opt/eset/esets")
        try Files.replace("\(root)/etc/opt/eset/esets/esets.cfg", with: Array(file.utf8))
    }

    static var fixture: String {
        let tests = Files.linkTarget("/proc/self/exe") ?? ""
        return Files.parent(of: tests) + "/esets_daemon_fixture"
    }

    private func start(_ agentEndTime: UInt64?) throws {
        let root = root
        let (near, far) = try UnixSocket.pair()
        let handle = spawnThread {
            do {
                let program = ManagerProgram(
                    path: RunningManager.fixture, common: ["--root=\(root)"], environment: ChildProcess.environment)
                let manager = try Manager(program: program, version: "9.9", agentEndTime: agentEndTime) {
                    () throws(ConfigurationError) in
                    try Configuration.load(paths: Paths(root: root))
                }
                try manager.run(handlesSignals: false) { try? UnixSocket.send(far, [1, $0.rawValue]) }
            } catch {
                Issue.record("the manager failed: \(error)")
                try? UnixSocket.send(far, [0])
            }
        }
        thread.withLock { $0 = handle }
        let told = try #require(try UnixSocket.receive(near)?.bytes)
        try #require(told.count == 2)
        readiness.withLock { $0 = Manager.Readiness(rawValue: told[1]) }
    }

    var socket: String { "\(root)/tmp/esets.sock" }

    func client(patience: Duration = .seconds(30)) -> ScanConnection {
        ScanConnection(path: socket, agent: "smtp", patience: patience)
    }

    func status() throws -> [String: String] {
        Dictionary(try client().status().map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
    }

    /// The ordinary scanning processes.
    func scanners() throws -> [pid_t] {
        try status().filter { $0.key.hasPrefix("Process.") && $0.value.hasPrefix("scanner") }
            .compactMap { pid_t($0.key.dropFirst("Process.".count)) }.sorted()
    }

    /// Waits until the status satisfies a condition; 30 seconds at most.
    @discardableResult
    func wait(_ what: String, _ condition: ([String: String]) throws -> Bool) throws -> [String: String] {
        for _ in 0..<600 {
            let status = try status()
            if try condition(status) { return status }
            usleep(50_000)
        }
        Issue.record("never: \(what); \(try status()); \(log)")
        return try status()
    }

    var log: String { (try? Files.text("\(root)/log")) ?? "" }

    /// Stops the manager and waits for its end.
    func stop() throws {
        _ = try client().stop()
        if let handle = thread.withLock({ $0 }) { pthread_join(handle, nil) }
        try Files.remove(root)
    }
}

extension ScanConnection {
    func scan(_ text: String) throws(ScanClientError) -> ScanVerdict {
        let object: ScanObject
        do throws(SystemError) {
            object = try ScanObject(bytes: Array(text.utf8), name: text, directory: "/tmp")
        } catch {
            throw ScanClientError(.unreadable, "\(error)")
        }
        return try scan(object, options: ScanOptions(), envelope: ScanEnvelope(agent: "smtp"))
    }
}

private final class Body {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

func spawnThread(_ run: @escaping @Sendable () -> Void) -> pthread_t {
    var thread = pthread_t()
    pthread_create(
        &thread, nil,
        { argument in
            Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
            return nil
        }, Unmanaged.passRetained(Body(run)).toOpaque())
    return thread
}
