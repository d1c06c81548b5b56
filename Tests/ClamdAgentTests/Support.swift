import AgentKit
import CLinux
import Configuration
import EventLoop
import Glibc
import Platform
import ScanClient
import ScanProtocol
import Synchronization
import Testing

@testable import ClamdAgent

/// A directory of its own, removed with the object.
final class Scratch {
    let path: String

    init() throws {
        var template = Array("/tmp/esets-clamd-XXXXXX".utf8CString)
        path = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    deinit { try? Files.remove(path) }

    /// Makes a file, and the directories above it.
    @discardableResult func put(_ name: String, _ text: String = "content") throws -> String {
        let place = "\(path)/\(name)"
        try Files.makeDirectory(Files.parent(of: place))
        try Files.replace(place, with: Array(text.utf8))
        return place
    }
}

/// A service that finds "VIRUS" in objects, and remembers how many it had at the same time.
final class FakeService: ObjectScanning {
    struct State {
        var names: [String] = []
        var foreign: [Bool] = []
        var all: [Bool] = []
        var running = 0
        var most = 0
        var reloads = 0
    }

    let state = Mutex(State())
    /// How long each scan takes.
    let time: Duration
    let failure: String?
    let generation: UInt64

    init(time: Duration = .zero, failure: String? = nil, generation: UInt64 = 0) {
        self.generation = generation
        self.time = time
        self.failure = failure
    }

    func scan(
        _ target: ScanTarget, options: ScanOptions, client: String?, on reactor: Reactor, deadline: Deadline
    ) async throws(ServiceError) -> ScanVerdict {
        state.withLock {
            $0.names.append(target.name)
            $0.foreign.append(options.isForeign)
            $0.all.append(options.reportsAllMatches)
            $0.running += 1
            $0.most = max($0.most, $0.running)
        }
        defer { state.withLock { $0.running -= 1 } }
        if time > .zero { try? await reactor.sleep(until: .after(time)) }
        if let failure { throw ServiceError(failure) }
        var verdict = ScanVerdict()
        verdict.generation = generation
        let content: [UInt8]
        switch target {
        case .content(let bytes, _): content = bytes
        case .object(let object, _):
            var space = [UInt8](repeating: 0, count: Int(object.size))
            let count = space.withUnsafeMutableBytes { try? object.descriptor.read(at: 0, into: $0) }
            content = Array(space.prefix(count ?? 0))
        }
        if String(decoding: content, as: UTF8.self).contains("VIRUS") {
            verdict.findings = [
                Finding(kind: .infected, name: "Test-Virus"), Finding(kind: .infected, name: "Other-Virus"),
            ]
        }
        return verdict
    }

    func status(on reactor: Reactor) async throws(ServiceError) -> [StatusLine] {
        [StatusLine("AVSigsVer", "27000"), StatusLine("LastSwap", "0"), StatusLine("Generation", String(generation))]
    }

    func reload(on reactor: Reactor) async throws(ServiceError) {
        state.withLock { $0.reloads += 1 }
    }
}

/// An agent that runs at a Unix socket.
final class RunningAgent {
    let scratch: Scratch
    let agent: ClamdAgent
    let socketPath: String
    private let thread: NativeThread

    /// - Parameter options: lines of [clamd].
    init(_ service: FakeService, _ options: [String] = [], threads: Int = 2) throws {
        scratch = try Scratch()
        let paths = Paths(root: scratch.path, configurationFile: nil)
        try Files.makeDirectory(paths.configurationDirectory)
        try Files.makeDirectory(paths.spoolDirectory)
        let lines = ["[clamd]", "clamd_sock_path = \"/clamd.sock\"", "num_thrd = \(threads)"] + options
        try Files.replace(
            paths.configurationDirectory + "/esets.cfg", with: Array((lines.joined(separator: "\n") + "\n").utf8))
        let settings = ClamdSettings(try Configuration.load(paths: paths))
        socketPath = settings.socketPath
        agent = try ClamdAgent(
            settings, service: service, events: ClamdEvents(text: { _, _, _ in }, scanned: { _ in }), version: "4.5")
        let listening = try ClamdAgent.bind(settings)
        thread = try NativeThread { [agent] in
            do throws(AgentError) { try agent.run(listening) } catch { Issue.record("\(error)") }
        }
    }

    deinit {
        agent.stop(grace: .seconds(5))
        thread.join()
    }

    /// Sends everything, ends this side when wished, and returns what came until the other side ended.
    func ask(_ bytes: [UInt8], descriptors: [Descriptor] = [], ends: Bool = false) throws -> String {
        let client = try connect()
        if descriptors.isEmpty {
            try client.writeAll(bytes)
        } else {
            try UnixSocket.send(client, bytes, descriptors: descriptors)
        }
        if ends { shutdown(client.raw, Int32(SHUT_WR)) }
        return String(decoding: try client.readToEnd(), as: UTF8.self)
    }

    func ask(_ text: String) throws -> String { try ask(Array(text.utf8)) }

    func connect() throws -> Descriptor {
        let client = Descriptor(owning: socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0))
        var address = try #require(SocketAddress(path: socketPath)).raw
        try #require(CLinux_connect(client.raw, &address) == 0)
        return client
    }
}

/// Content as INSTREAM wants it.
func chunks(_ text: String, by size: Int = 1 << 20) -> [UInt8] {
    let bytes = Array(text.utf8)
    var result: [UInt8] = []
    for begin in stride(from: 0, to: bytes.count, by: size) {
        let part = bytes[begin..<min(begin + size, bytes.count)]
        result += withUnsafeBytes(of: UInt32(part.count).bigEndian) { Array($0) } + part
    }
    return result + [0, 0, 0, 0]
}
