import EventLoop
import SMTPAgent
import Testing

@Suite struct LoopTests {
    private func address(_ port: UInt16) throws -> SocketAddress {
        try #require(SocketAddress(numeric: "127.0.0.1", port: port))
    }

    @Test func onlyTheSamePairIsALoop() throws {
        let (near, hop, agent) = (try address(40_000), try address(25), try address(2526))
        var connections = OutgoingConnections()
        #expect(!connections.isLoop(from: near) { hop })
        connections.add(from: near, to: hop)
        #expect(connections.isLoop(from: near) { hop })
        // Another connection that the kernel gave the same port.
        #expect(!connections.isLoop(from: near) { agent })
        #expect(!connections.isLoop(from: hop) { hop })
    }

    @Test func eachConnectionIsForgottenOnce() throws {
        let (near, one, two) = (try address(40_000), try address(25), try address(26))
        var connections = OutgoingConnections()
        connections.add(from: near, to: one)
        connections.add(from: near, to: two)
        connections.add(from: near, to: one)
        connections.remove(from: near, to: one)
        #expect(connections.isLoop(from: near) { one })
        connections.remove(from: near, to: one)
        #expect(!connections.isLoop(from: near) { one })
        #expect(connections.isLoop(from: near) { two })
        connections.remove(from: near, to: one)
        connections.remove(from: near, to: two)
        #expect(!connections.isLoop(from: near) { two })
    }
}
