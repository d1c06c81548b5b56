import Bytes
import EventLoop
import Glibc
import Testing

@Suite struct ListenerTests {
    @Test func addressesOfBothEnds() async throws {
        try await onReactor { reactor in
            let listener = try loopback(reactor)
            let client = try await Stream.connect(
                reactor, host: "127.0.0.1", port: listener.local.port, deadline: patience)
            let server = try #require(try await listener.accept())
            #expect(client.peer == listener.local)
            #expect(server.peer == client.local)
            #expect(server.local == client.peer)
            #expect(server.originalDestination == nil)
            #expect(server.peer.host == "127.0.0.1")
        }
    }

    @Test func unixSockets() async throws {
        try await onReactor { reactor in
            let name = "@esets-test-\(getpid())-\(UInt64.random(in: 0 ... .max))"
            let address = try #require(SocketAddress(path: name))
            let listener = try Listener(reactor, Listener.open(address))
            let client = try await Stream.connect(reactor, to: address, deadline: patience)
            let server = try #require(try await listener.accept())
            client.write("hello")
            try await client.flush(deadline: patience)
            #expect(try await server.read(count: 5, deadline: patience) == Array("hello".utf8))
            #expect(listener.local.host == name)
        }
    }

    @Test func refusedConnectionAndTheNextAddress() async throws {
        try await onReactor { reactor in
            let listener = try loopback(reactor)
            let free: SocketAddress
            do { free = try loopback(reactor).local }
            let refused = await error { () throws(StreamError) in
                _ = try await Stream.connect(reactor, to: free, deadline: patience)
            }
            #expect(refused == .system(ECONNREFUSED, call: "connect"))
            let stream = try await Stream.connect(reactor, to: [free, listener.local], deadline: patience)
            #expect(stream.peer == listener.local)
            let none = await error { () throws(StreamError) in
                _ = try await Stream.connect(reactor, to: [SocketAddress](), deadline: patience)
            }
            #expect(none == .system(EADDRNOTAVAIL, call: "connect"))
        }
    }

    @Test func namesAreLookedUp() async throws {
        try await onReactor { reactor in
            let found = try await reactor.resolve("localhost", port: 25, deadline: patience)
            #expect(found.contains { $0.host == "127.0.0.1" || $0.host == "::1" })
            #expect(found.allSatisfy { $0.port == 25 })
            let wrong = await error { () throws(StreamError) in
                _ = try await reactor.resolve("a\0b", port: 25, deadline: patience)
            }
            #expect(wrong == .unresolved(host: "a\0b", reason: "not a host name"))
        }
    }

    @Test func twoReactorsShareAListener() async throws {
        let first = try ReactorThread("first")
        let second = try ReactorThread("second")
        let address = try #require(SocketAddress(numeric: "127.0.0.1", port: 0))
        let descriptor = try Listener.open(address)
        var port: UInt16 = 0
        for thread in [first, second] {
            let listener = try Listener(thread.reactor, descriptor, shared: true)
            port = listener.local.port
            thread.reactor.spawn("accept") {
                while let stream = try? await listener.accept() {
                    stream.write("hello")
                    stream.close()
                }
            }
        }
        let target = port
        let greeted = try await onReactor { reactor in
            var greeted = 0
            for _ in 0..<50 {
                let stream = try await Stream.connect(reactor, host: "127.0.0.1", port: target, deadline: patience)
                if try await stream.read(count: 5, deadline: patience) == Array("hello".utf8) { greeted += 1 }
            }
            return greeted
        }
        #expect(greeted == 50)
        for thread in [first, second] {
            thread.reactor.stop(deadline: patience)
            thread.join()
        }
    }

    /// The limit holds for the whole process: tools/test runs this alone. (A test that starts a process for itself cannot
    /// run beside those that start other programs: its watcher waits for any child.)
    @Test(.enabled(if: getenv("ESETS_TEST_ALONE") != nil)) func pausesWhenDescriptorsAreShort() async throws {
        try await onReactor { reactor in
            let listener = try loopback(reactor)
            let client = try await Stream.connect(reactor, to: listener.local, deadline: patience)
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            let before = limit
            limit.rlim_cur = 0
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            let accepted = Task(executorPreference: reactor) { try await listener.accept() }
            while listener.pauses < 2 { try await reactor.sleep(until: .milliseconds(1)) }
            limit = before
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            let stream = try #require(try await accepted.value)
            #expect(stream.peer == client.local)
        }
    }
}
