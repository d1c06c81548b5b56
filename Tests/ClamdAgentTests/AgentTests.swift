import CLinux
import Glibc
import Platform
import Synchronization
import Testing

@testable import ClamdAgent

@Suite struct AgentTests {
    @Test func commandsAndStreams() throws {
        let service = FakeService()
        let agent = try RunningAgent(service)
        #expect(try agent.ask("zPING\0") == "PONG\0")
        #expect(try agent.ask("PING") == "PONG\n")
        #expect(try agent.ask("nVERSION\n") == "esets 4.5/27000/\n")
        #expect(try agent.ask(Array("zINSTREAM\0".utf8) + chunks("a VIRUS", by: 2)) == "stream: Test-Virus FOUND\0")
        #expect(try agent.ask(Array("nINSTREAM\n".utf8) + chunks("none")) == "stream: OK\n")
        #expect(try agent.ask("SHUTDOWN\n") == "COMMAND UNAVAILABLE\n")
        #expect(service.state.withLock { $0.foreign } == [false, false])
    }

    @Test func largeStreamsGoThroughTheSpool() throws {
        let agent = try RunningAgent(FakeService())
        let text = String(repeating: "x", count: 3 << 20) + "VIRUS"
        #expect(try agent.ask(Array("zINSTREAM\0".utf8) + chunks(text, by: 100_000)) == "stream: Test-Virus FOUND\0")
    }

    @Test func noVerdictIsAnError() throws {
        let agent = try RunningAgent(FakeService(failure: "no scanner"))
        #expect(try agent.ask(Array("zINSTREAM\0".utf8) + chunks("x")) == "stream: Not scanned: no scanner. ERROR\0")
    }

    @Test func descriptorsComeWhereTheyBelong() throws {
        let service = FakeService()
        let agent = try RunningAgent(service)
        let bad = try Descriptor.open(try agent.scratch.put("bad", "VIRUS"), O_RDONLY)
        let good = try Descriptor.open(try agent.scratch.put("good"), O_RDONLY)
        let one = try agent.ask(Array("zFILDES\0x".utf8), descriptors: [bad])
        #expect(one.hasPrefix("fd[") && one.hasSuffix("]: Test-Virus FOUND\0"))
        #expect(try agent.ask("zFILDES\0x") == "No file descriptor received. ERROR\0")
        #expect(
            try agent.ask(Array("zFILDES\0x".utf8), descriptors: [good, bad]) == "No file descriptor received. ERROR\0")
        // A descriptor that came with an earlier command is nobody's.
        #expect(
            try agent.ask(Array("zIDSESSION\0zPING\0zFILDES\0".utf8), descriptors: [bad], ends: true) == "1: PONG\0")

        let client = try agent.connect()
        try client.writeAll(Array("zIDSESSION\0".utf8))
        for (index, file) in [bad, good, bad, good].enumerated() {
            try client.writeAll(Array("zFILDES\0".utf8))
            try UnixSocket.send(client, [UInt8(index)], descriptors: [file])
        }
        try client.writeAll(Array("zEND\0".utf8))
        let lines = String(decoding: try client.readToEnd(), as: UTF8.self).split(separator: "\0").sorted()
        #expect(lines.map { $0.hasSuffix("FOUND") } == [true, false, true, false])
        #expect(service.state.withLock { $0.foreign.allSatisfy { $0 } })
    }

    @Test func sessionsAnswerEachByItsNumber() throws {
        let service = FakeService(time: .milliseconds(5))
        let agent = try RunningAgent(service, ["clamd_max_session = 4", "clamd_max_scans = 4"])
        var bytes = Array("zIDSESSION\0".utf8)
        for index in 1...40 {
            bytes += Array("zINSTREAM\0".utf8) + chunks(index % 2 == 0 ? "VIRUS" : "none")
        }
        let replies = try agent.ask(bytes + Array("zEND\0".utf8)).split(separator: "\0")
        #expect(replies.count == 40)
        for index in 1...40 {
            #expect(replies.contains("\(index): stream: \(index % 2 == 0 ? "Test-Virus FOUND" : "OK")"))
        }
        // No more at a time than a session may have.
        #expect(service.state.withLock { $0.most } <= 4)
    }

    @Test func manySessionsShareThePlaces() throws {
        let service = FakeService(time: .milliseconds(2))
        let agent = try RunningAgent(service, ["clamd_max_scans = 2"], threads: 1)
        var bytes = Array("zIDSESSION\0".utf8)
        for _ in 0..<20 { bytes += Array("zINSTREAM\0".utf8) + chunks("none") }
        bytes += Array("zEND\0".utf8)
        let clients = try (0..<10).map { _ in try agent.connect() }
        for client in clients { try client.writeAll(bytes) }
        for client in clients { #expect(try client.readToEnd().count { $0 == 0 } == 20) }
        #expect(service.state.withLock { $0.most } <= 2)
    }

    @Test func moreClientsThanPlacesWait() throws {
        let agent = try RunningAgent(FakeService(), ["clamd_max_connections = 2"], threads: 1)
        let idle = try (0..<2).map { _ in try agent.connect() }
        let late = try agent.connect()
        try late.writeAll(Array("zPING\0".utf8))
        var entry = pollfd(fd: late.raw, events: Int16(POLLIN), revents: 0)
        #expect(poll(&entry, 1, 100) == 0)
        try idle[0].writeAll(Array("zPING\0".utf8))
        #expect(try idle[0].readToEnd() == Array("PONG\0".utf8))
        #expect(try late.readToEnd() == Array("PONG\0".utf8))
    }

    @Test func pathsAndTheirKinds() throws {
        let service = FakeService()
        let agent = try RunningAgent(service)
        let home = agent.scratch.path
        for name in ["x/1", "x/2", "x/3"] { try agent.scratch.put(name, name == "x/3" ? "none" : "VIRUS") }
        try agent.scratch.put("y/1", "none")
        #expect(try agent.ask("zSCAN \(home)/y\0") == "\(home)/y: OK\0")
        #expect(try agent.ask("zSCAN \(home)/x/1\0") == "\(home)/x/1: Test-Virus FOUND\0")
        #expect(try agent.ask("zSCAN \(home)/x\0").split(separator: "\0").count == 1)
        let both = Set(["1", "2"].map { "\(home)/x/\($0): Test-Virus FOUND" })
        for kind in ["CONTSCAN", "MULTISCAN"] {
            #expect(Set(try agent.ask("z\(kind) \(home)/x\0").split(separator: "\0").map(String.init)) == both)
        }
        #expect(
            try agent.ask("zALLMATCHSCAN \(home)/x/1\0")
                == "\(home)/x/1: Test-Virus FOUND\0\(home)/x/1: Other-Virus FOUND\0")
        #expect(service.state.withLock { $0.foreign.allSatisfy { $0 } && $0.all.filter { $0 }.count == 1 })
    }

    @Test func reload() throws {
        let service = FakeService()
        let agent = try RunningAgent(service)
        // The test runs as the agent's own user.
        #expect(try agent.ask("zRELOAD\0") == "RELOADING\0")
        #expect(service.state.withLock { $0.reloads } == 1)
    }

    @Test func settings() throws {
        let agent = try RunningAgent(
            FakeService(), ["clamd_stream_max = 10", "clamd_allmatch = no", "clamd_scan_paths = \"\""])
        #expect(
            try agent.ask(Array("zINSTREAM\0".utf8) + chunks("eleven byte")) == "INSTREAM size limit exceeded. ERROR\0")
        #expect(try agent.ask("zSCAN /etc/passwd\0") == "/etc/passwd: Access denied. ERROR\0")
        #expect(try agent.ask("zALLMATCHSCAN /x\0") == "/x: ALLMATCHSCAN is disabled by the administrator. ERROR\0")
    }

    @Test func cacheRemembersWhatWasClean() throws {
        let service = FakeService(generation: 7)
        let agent = try RunningAgent(service, ["clamd_cache = 100"])
        let clean = try agent.scratch.put("clean", "none")
        let bad = try agent.scratch.put("bad", "VIRUS")
        func scans() -> Int { service.state.withLock { $0.names.count } }
        for _ in 0..<3 {
            #expect(try agent.ask("zSCAN \(clean)\0") == "\(clean): OK\0")
            #expect(try agent.ask("zSCAN \(bad)\0") == "\(bad): Test-Virus FOUND\0")
        }
        #expect(scans() == 4)
        // What is scanned is the copy that was hashed.
        #expect(service.state.withLock { !$0.foreign.contains(true) })
        try agent.scratch.put("clean", "VIRUS")
        #expect(try agent.ask("zSCAN \(clean)\0") == "\(clean): Test-Virus FOUND\0")
        for _ in 0..<2 { #expect(try agent.ask(Array("zINSTREAM\0".utf8) + chunks("abc")) == "stream: OK\0") }
        #expect(scans() == 6)
        #expect(agent.agent.counters.snapshot["cache_hits"] == 3)
    }

    @Test func cacheForgetsWithTheModules() {
        let cache = CleanCache(count: 8)
        let keys = (0..<100).map { CleanCache.Key(high: UInt64($0), low: UInt64($0) << 32) }
        for key in keys { cache.insert(key, generation: 1) }
        // Bounded: the last ones, at most as many as there are places.
        #expect(keys.filter { cache.contains($0, generation: 1) }.count <= 8)
        #expect(cache.contains(keys[99], generation: 1))
        #expect(!cache.contains(keys[99], generation: 2))
        cache.insert(keys[99], generation: 2)
        #expect(!cache.contains(keys[99], generation: 1))
        #expect(cache.contains(keys[99], generation: 2))
        cache.insert(keys[98], generation: 0)
        #expect(!cache.contains(keys[98], generation: 0))
    }
}
