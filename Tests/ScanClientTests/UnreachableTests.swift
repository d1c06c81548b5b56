import EventLoop
import ScanClient
import ScanProtocol
import Synchronization
import Testing

@Suite("Without a daemon") struct UnreachableTests {
    private let object: ScanObject

    init() throws {
        object = try ScanObject(bytes: [1, 2, 3], name: "n", directory: "/tmp")
    }

    @Test("the synchronous client says that the scanner is unavailable")
    func synchronous() {
        let client = ScanConnection(path: "/tmp/esets-nowhere.sock", agent: "test", patience: .zero)
        #expect {
            _ = try client.scan(object, options: ScanOptions(), envelope: ScanEnvelope(agent: "test"))
        } throws: { ($0 as? ScanClientError)?.code == .unavailable }
    }

    @Test("the asynchronous client says so too")
    func asynchronous() throws {
        let reactor = try Reactor()
        let seen = Mutex<ScanClientError.Code?>(nil)
        let object = object
        reactor.spawn("test") {
            let scanner = AsyncScanner(
                reactor: reactor, path: "/tmp/esets-nowhere.sock", agent: "test", patience: .zero)
            do throws(ScanClientError) {
                _ = try await scanner.scan(object, options: ScanOptions(), envelope: ScanEnvelope(agent: "test"))
            } catch {
                seen.withLock { $0 = error.code }
            }
            reactor.stop(deadline: .seconds(5))
        }
        #expect(reactor.run())
        #expect(seen.withLock { $0 } == .unavailable)
    }
}
