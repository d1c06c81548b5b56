import EventLoop
import Glibc
import Platform
import Testing

@testable import AgentKit

@Suite(.serialized) struct InheritedSocketTests {
    @Test func names() {
        #expect(InheritedSockets.descriptors("smtp:3 smtp:4", agent: "smtp") == [3, 4])
        #expect(InheritedSockets.descriptors("pop3:3 smtp:5", agent: "smtp") == [5])
        for bad in ["", "3", "smtp:", "smtp:2", "smtp:3 smtp:3", "smtp:x", "pop3:3", "smtp:3:4", "smtp:99999999999"] {
            #expect(InheritedSockets.descriptors(bad, agent: "smtp") == nil, "\(bad)")
        }
    }

    @Test func onlyListeningSocketsAreTaken() throws {
        #expect(try InheritedSockets.take(agent: "smtp") == nil)
        let listening = try Listener.open(try #require(SocketAddress(numeric: "127.0.0.1", port: 0)))
        let given = fcntl(listening.raw, F_DUPFD, 100)
        setenv("ESETS_LISTEN", "smtp:\(given)", 1)
        #expect(try InheritedSockets.take(agent: "smtp")?.map(\.raw) == [given])
        #expect(getenv("ESETS_LISTEN") == nil)
        let other = fcntl(try Descriptor.memory(name: "x").raw, F_DUPFD, 100)
        defer { close(other) }
        setenv("ESETS_LISTEN", "smtp:\(other)", 1)
        #expect(throws: AgentError.self) { try InheritedSockets.take(agent: "smtp") }
    }
}
