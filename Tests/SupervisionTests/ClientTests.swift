import CEsets
import EsetsLibrary
import EventLoop
import Glibc
import Platform
import ScanClient
import ScanProtocol
import Synchronization
import Testing

/// The clients against a manager with real processes.
@Suite("Clients", .serialized) struct ClientTests {
    @Test("many asynchronous scans at once: verdicts, questions, a crash among them")
    func asynchronous() throws {
        let manager = try RunningManager("num_proc = 1\nnum_thrd = 4\n")
        let socket = manager.socket
        let reactor = try Reactor()
        let results = Mutex<[String: [String]]>([:])
        let count = 60
        reactor.spawn("scans") {
            let scanner = AsyncScanner(reactor: reactor, path: socket, agent: "smtp") { questions in
                questions.map { Answer(question: $0, result: .found) }
            }
            for number in 0..<count {
                let text =
                    number == 30
                    ? "crash" : number % 3 == 0 ? "ask \(number)" : number % 3 == 1 ? "EICAR \(number)" : "ok \(number)"
                reactor.spawn("scan") {
                    do {
                        let object = try ScanObject(bytes: Array(text.utf8), name: text, directory: "/tmp")
                        let verdict = try await scanner.scan(
                            object, options: ScanOptions(), envelope: ScanEnvelope(agent: "smtp"))
                        let isLast = results.withLock { results in
                            results[text] = verdict.findings.map(\.name)
                            return results.count == count
                        }
                        if isLast {
                            await scanner.count(["scanned": 60])
                            reactor.stop(deadline: .seconds(10))
                        }
                    } catch {
                        Issue.record("\(text): \(error)")
                        reactor.stop(deadline: .seconds(10))
                    }
                }
            }
        }
        #expect(reactor.run())
        for (text, names) in results.withLock({ $0 }) {
            let expected =
                text == "crash"
                ? ["crash"]
                : text.hasPrefix("ask")
                    ? ["found", "mapped"] : text.hasPrefix("EICAR") ? ["Eicar", "mapped"] : ["mapped"]
            #expect(names == expected, "\(text)")
        }
        #expect(results.withLock { $0.count } == count)
        #expect(try manager.status()["smtp.scanned"] == "60")
        try manager.stop()
    }

    @Test("a large object goes through an unnamed file")
    func largeObject() throws {
        let manager = try RunningManager()
        let text = "EICAR" + String(repeating: "x", count: 2 << 20)
        let object = try ScanObject(bytes: Array(text.utf8), name: "large", directory: "/tmp")
        let verdict = try manager.client().scan(
            object, options: ScanOptions(), envelope: ScanEnvelope(agent: "smtp"))
        #expect(verdict.findings.map(\.name) == ["Eicar", "mapped"])
        try manager.stop()
    }

    @Test("the C interface scans bytes and files and tells what was found")
    func library() throws {
        let manager = try RunningManager()
        try manager.socket.withCString { socket in
            var configuration = esets_configuration()
            configuration.struct_size = UInt32(MemoryLayout<esets_configuration>.size)
            configuration.socket_path = socket
            var handle: OpaquePointer?
            #expect(esets_open(&configuration, &handle) == ESETS_OK)
            defer { esets_close(handle) }
            var verdict: OpaquePointer?
            let bytes = Array("EICAR".utf8)
            #expect(esets_scan_buffer(handle, bytes, bytes.count, nil, &verdict) == ESETS_OK)
            #expect(esets_verdict_is_infected(verdict) == 1)
            #expect(esets_verdict_is_complete(verdict) == 1)
            #expect(esets_verdict_finding_count(verdict) == 2)
            var finding = esets_finding()
            #expect(esets_verdict_finding(verdict, 0, &finding) == ESETS_E_ARGUMENT)
            finding.struct_size = UInt32(MemoryLayout<esets_finding>.size)
            #expect(esets_verdict_finding(verdict, 0, &finding) == ESETS_OK)
            #expect(finding.name.map { String(cString: $0) } == "Eicar")
            #expect(finding.is_threat == 1)
            #expect(esets_verdict_finding(verdict, 2, &finding) == ESETS_E_RANGE)
            #expect(esets_verdict_spam_score(verdict, nil) == 0)
            esets_verdict_free(verdict)

            let file = try Descriptor.open("/etc/passwd", O_RDONLY)
            #expect(esets_scan_fd(handle, file.raw, try file.size(), nil, &verdict) == ESETS_OK)
            #expect(esets_verdict_is_infected(verdict) == 0)
            esets_verdict_free(verdict)
            #expect(esets_scan_fd(handle, file.raw, 1 << 40, nil, &verdict) == ESETS_E_UNREADABLE)
            #expect(verdict == nil)
            #expect(esets_message(handle).map { String(cString: $0) }?.contains("announced") == true)
        }
        try manager.stop()
    }

    @Test("the sandbox of a scanning process forbids files, network, programs and processes, not threads")
    func sandbox() throws {
        let (near, far) = try UnixSocket.pair()
        let pid = try ChildProcess.spawn(
            RunningManager.fixture, arguments: ["fixture", "--sandbox-check"], environment: [:],
            descriptors: [(3, far.raw), (2, 2)])
        #expect(try ChildProcess.wait(pid) == .exited(0))
        let report = try UnixSocket.receive(near, flags: Int32(MSG_DONTWAIT))
        let lines = String(decoding: report?.bytes ?? [], as: UTF8.self).split(separator: "\n").map(String.init)
        let refused = ["passwd", "write", "socket", "exec", "fork", "root"]
        for name in refused { #expect(lines.contains("\(name) refused"), "\(name): \(lines)") }
        for name in ["thread", "memfd", "library"] { #expect(lines.contains("\(name) works"), "\(name): \(lines)") }
    }
}
