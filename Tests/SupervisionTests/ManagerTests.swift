import Glibc
import Platform
import ScanClient
import ScanProtocol
import Supervision
import Synchronization
import Testing

@Suite("Manager", .serialized) struct ManagerTests {
    @Test("gives clients to scanning processes, which are processes of their own")
    func scanning() throws {
        let manager = try RunningManager()
        let client = manager.client()
        #expect(try client.scan("hello").isInfected == false)
        #expect(try client.scan("EICAR").isInfected)
        let status = try manager.wait("counters") { $0["Scanned"] == "2" }
        #expect(status["SystemState"] == "running")
        #expect(status["Generation"] == "1")
        #expect(status["Infected"] == "1")
        #expect(try manager.scanners().count == 2)
        try manager.stop()
    }

    @Test("whoever starts it hears that it is ready when it scans, or that it cannot")
    func readiness() throws {
        let manager = try RunningManager()
        #expect(manager.readiness.withLock { $0 } == .ready)
        #expect(try manager.status()["SystemState"] == "running")
        try manager.stop()
        let stuck = try RunningManager(generations: ["5 broken"])
        #expect(stuck.readiness.withLock { $0 } == .notLoaded)
        try stuck.stop()
    }

    @Test("an object that kills the scanner is blamed only after it was alone, and is kept")
    func poison() throws {
        let manager = try RunningManager()
        let before = try manager.wait("two processes") { $0.filter { $0.value.hasPrefix("scanner") }.count == 2 }
        let verdict = try manager.client().scan("crash, says the object")
        #expect(verdict.notScanned.map(\.name) == ["crash"], "\(verdict) \(manager.log)")
        #expect(verdict.notScanned.first?.source == "signal \(SIGSEGV)")
        // One ordinary process and one isolated process died; the ordinary one has a replacement.
        let after = try manager.wait("a replacement") {
            $0["Crashes"] == "2" && $0.filter { $0.value.hasPrefix("scanner") }.count == 2
        }
        #expect(after != before)
        let directory = "\(manager.root)/var/opt/eset/esets/cache/crash"
        try manager.wait("the kept object") { _ in
            ((try? Files.names(in: directory)) ?? []).contains { $0.hasSuffix(".object") }
                && manager.log.contains("is kept as")
        }
        let name = try #require(try Files.names(in: directory).first { $0.hasSuffix(".object") })
        #expect(try Files.text("\(directory)/\(name)") == "crash, says the object")
        #expect(try manager.client().scan("EICAR").isInfected)
        try manager.stop()
    }

    @Test("requests that a dying process held besides are judged alone and rightly")
    func innocents() throws {
        // One process: all requests are in it when it dies.
        let manager = try RunningManager("num_proc = 1\nnum_thrd = 4\n")
        let verdicts = Mutex<[String: [String]]>([:])
        let threads = (0..<12).map { number in
            spawnThread {
                let text = number == 5 ? "crash" : number % 2 == 0 ? "EICAR \(number)" : "innocent \(number)"
                do {
                    let verdict = try manager.client().scan(text)
                    let names = verdict.findings.filter { $0.kind != .note }.map(\.name)
                    verdicts.withLock { $0[text] = names }
                } catch {
                    Issue.record("\(text): \(error)")
                }
            }
        }
        for thread in threads { pthread_join(thread, nil) }
        let seen = verdicts.withLock { $0 }
        #expect(seen.count == 12)
        for (text, names) in seen {
            #expect(names == (text == "crash" ? ["crash"] : text.hasPrefix("EICAR") ? ["Eicar"] : []), "\(text)")
        }
        try manager.stop()
    }

    @Test("a death by SIGKILL is never blamed on the object")
    func killedFromOutside() throws {
        let manager = try RunningManager()
        // The object has the process killed with SIGKILL each time, as the kernel does when memory ends.
        let client = manager.client(patience: .milliseconds(500))
        #expect {
            _ = try client.scan("kill")
        } throws: { error in
            (error as? ScanClientError)?.code == .unavailable
        }
        #expect(try manager.status()["Crashes"] == "0")
        #expect(try manager.client().scan("EICAR").isInfected)
        try manager.stop()
    }

    @Test("a scanning process that is killed has a replacement, and clients go on")
    func replacement() throws {
        let manager = try RunningManager()
        let client = manager.client()
        _ = try client.scan("hello")
        let old = try manager.scanners()
        for pid in old { kill(pid, SIGKILL) }
        #expect(try client.scan("EICAR").isInfected)
        try manager.wait("replacements") { status in
            let now = status.filter { $0.value.hasPrefix("scanner") }.keys.compactMap { pid_t($0.dropFirst(8)) }
            return now.count == 2 && Set(now).isDisjoint(with: old)
        }
        try manager.stop()
    }

    @Test("an offered generation is used when the canary likes it, without a restart")
    func swap() throws {
        let manager = try RunningManager(generations: ["1", "2"])
        let client = manager.client()
        #expect(try client.scan("hello").generation == 1)
        let pids = try manager.scanners()
        #expect(try client.offer(generation: 2) == "generation 2 is in use")
        #expect(try client.scan("hello").generation == 2)
        #expect(try manager.scanners() == pids)
        #expect(Files.linkTarget("\(manager.root)/var/opt/eset/esets/lib/generations/current") == "2")
        try manager.stop()
    }

    @Test("a generation that does not load is refused with the reason, and nothing changes")
    func refusal() throws {
        let manager = try RunningManager(generations: ["1", "2 broken"])
        let client = manager.client()
        #expect {
            _ = try client.offer(generation: 2)
        } throws: { error in
            let error = error as? ScanClientError
            return error?.code == .refused(.failed) && error?.message.contains("em001: signature") == true
        }
        #expect {
            _ = try client.offer(generation: 77)
        } throws: { ($0 as? ScanClientError)?.message.contains("does not exist") == true }
        #expect(try client.scan("hello").generation == 1)
        #expect(try manager.status()["LastRefusal"]?.contains("generation 77 is refused") == true)
        #expect(Files.linkTarget("\(manager.root)/var/opt/eset/esets/lib/generations/current") == "1")
        try manager.stop()
    }

    @Test("when processes crash again and again after a swap, the last good generation comes back")
    func goingBack() throws {
        // Without the comparison of speed, in which it would crash as well.
        let manager = try RunningManager("av_update_max_slowdown = 0\n", generations: ["1", "2 crashing"])
        let client = manager.client()
        _ = try client.offer(generation: 2)
        for _ in 0..<3 { _ = try? manager.client(patience: .seconds(1)).scan("hello") }
        try manager.wait("generation 1 again") { $0["Generation"] == "1" }
        #expect(try manager.client().scan("hello").generation == 1)
        #expect(try manager.status()["LastRefusal"]?.contains("is left for generation 1") == true)
        #expect(Files.linkTarget("\(manager.root)/var/opt/eset/esets/lib/generations/current") == "1")
        try manager.stop()
    }

    @Test("crashes that a canary cannot confirm do not bring an old generation back")
    func unconfirmedCrashes() throws {
        let manager = try RunningManager("num_proc = 1\n", generations: ["1", "2"])
        _ = try manager.client().offer(generation: 2)
        for _ in 0..<3 {
            // As a process does that was taken over: it ends itself.
            let before = try manager.wait("a process") { $0.filter { $0.value.hasPrefix("scanner") }.count == 1 }
            let pid = try #require(
                before.first { $0.value.hasPrefix("scanner") }.flatMap { pid_t($0.key.dropFirst(8)) })
            kill(pid, SIGSEGV)
            try manager.wait("the crash") { $0["Crashes"] != before["Crashes"] }
        }
        try manager.wait("the decision") { $0["LastRefusal"]?.contains("generation 2 stays in use") == true }
        #expect(try manager.status()["Generation"] == "2")
        #expect(try manager.client().scan("hello").generation == 2)
        try manager.stop()
    }

    @Test("an object that crashes the older generation, too, does not bring it back")
    func olderFaresNoBetter() throws {
        let manager = try RunningManager(generations: ["1", "2"])
        _ = try manager.client().offer(generation: 2)
        for _ in 0..<3 { _ = try manager.client().scan("crash") }
        let status = try manager.wait("the decision") { $0["LastRefusal"]?.contains("stays in use") == true }
        #expect(status["LastRefusal"]?.contains("generation 1 fares no better") == true, "\(status)")
        #expect(status["Generation"] == "2")
        try manager.stop()
    }

    @Test("a scanning process that calls the generation in use refused is ended, and nothing changes")
    func lie() throws {
        let manager = try RunningManager("num_proc = 1\n", generations: ["2", "1"])
        _ = try? manager.client().scan("lie")
        try manager.wait("the end of the liar") { _ in manager.log.contains("nobody asked it about") }
        #expect(try manager.client().scan("hello").generation == 2)
        #expect(try manager.status()["Generation"] == "2")
        try manager.stop()
    }

    @Test("a process that has served and refuses an offered generation is replaced by one whose word counts")
    func distrust() throws {
        let manager = try RunningManager("num_proc = 1\n", generations: ["1", "2 crowded"])
        _ = try manager.client().scan("hello")
        let old = try manager.scanners()
        #expect(try manager.client().offer(generation: 2) == "generation 2 is in use")
        #expect(try manager.client().scan("hello").generation == 2)
        #expect(try Set(manager.scanners()).isDisjoint(with: old))
        try manager.stop()
    }

    @Test("a current generation that cannot be loaded at the start is left for an older one")
    func brokenAtStart() throws {
        let manager = try RunningManager(generations: ["5 broken", "3"])
        #expect(try manager.client().scan("hello").generation == 3)
        try manager.stop()
    }

    @Test("without modules clients hear that the scanner is unavailable; modules serve those who wait")
    func noModules() throws {
        let manager = try RunningManager(generations: [])
        #expect(try manager.status()["SystemState"] == "no modules")
        #expect(manager.readiness.withLock { $0 } == .noModules)
        let done = Mutex<UInt64?>(nil)
        let thread = spawnThread {
            let verdict = try? manager.client().scan("hello")
            done.withLock { $0 = verdict?.generation }
        }
        try manager.make(generation: "4")
        #expect(try manager.client().offer(generation: 4) == "generation 4 is in use")
        pthread_join(thread, nil)
        #expect(done.withLock { $0 } == 4)
        try manager.stop()
    }

    @Test("reload takes a new configuration, and refuses a wrong one with its place")
    func reload() throws {
        let manager = try RunningManager()
        try manager.configure("num_proc = 3\n")
        _ = try manager.client().reload()
        try manager.wait("three processes") { $0.filter { $0.value.hasPrefix("scanner") }.count == 3 }
        try manager.configure("num_proc = many\n")
        #expect {
            _ = try manager.client().reload()
        } throws: { ($0 as? ScanClientError)?.message.contains("esets.cfg:2:") == true }
        let status = try manager.status()
        #expect(status["ConfigurationError"]?.contains("esets.cfg:2:") == true)
        #expect(try manager.scanners().count == 3)
        #expect(try manager.client().scan("EICAR").isInfected)
        try manager.configure("num_proc = 1\n")
        _ = try manager.client().reload()
        try manager.wait("one process") { $0.filter { $0.value.hasPrefix("scanner") }.count == 1 }
        try manager.stop()
    }

    /// It and the next one are below those that the kernel gives to clients.
    private static let port = 20_000 + Int(getpid()) % 12_000

    @Test("agents inherit their socket, are started again, and refuse nobody meanwhile")
    func agents() throws {
        let port = Self.port
        let manager = try RunningManager(
            "[smtp]\nagent_enabled = yes\nlisten_addr = \"127.0.0.1\"\nlisten_port = \(port)\n")
        let first = try #require(try answer(port))
        kill(first, SIGKILL)
        // The connection waits in the socket until the new agent takes it.
        let second = try #require(try answer(port))
        #expect(first != second)
        #expect(manager.log.contains("agent smtp ended unexpectedly"))
        #expect(try manager.status().values.contains { $0.hasPrefix("agent smtp 127.0.0.1:\(port)") })
        try manager.stop()
        #expect(kill(second, 0) != 0)
    }

    @Test("an agent that hangs when it is replaced is killed")
    func hangingAgent() throws {
        let port = Self.port
        let section = { (port: Int) in
            "[smtp]\nagent_enabled = yes\nlisten_addr = \"127.0.0.1\"\nlisten_port = \(port)\n"
        }
        let manager = try RunningManager(section(port), agentEndTime: 300_000_000)
        let old = try #require(try answer(port))
        try halt(old)
        try manager.configure(section(port + 1))
        _ = try manager.client().reload()
        let new = try #require(try answer(port + 1))
        #expect(new != old)
        try manager.wait("the end of the old one") { _ in kill(old, 0) != 0 }
        #expect(manager.log.contains("(process \(old)) does not end; it is killed"))
        // One that hangs when the daemon ends does not keep it.
        try halt(new)
        try manager.stop()
        #expect(kill(new, 0) != 0)
    }

    /// Stops a process, and waits until it stands still: SIGTERM would overtake the signal.
    private func halt(_ pid: pid_t) throws {
        kill(pid, SIGSTOP)
        for _ in 0..<2_000 {
            if try Files.text("/proc/\(pid)/stat").split(separator: " ").dropFirst(2).first == "T" { return }
            usleep(5_000)
        }
        Issue.record("process \(pid) does not stop")
    }

    @Test("an agent listens at the addresses of a name; a name that is not found does not stop the others")
    func names() throws {
        let port = Self.port
        let manager = try RunningManager(
            "[smtp]\nagent_enabled = yes\nlisten_addr = \"localhost\"\nlisten_port = \(port)\n"
                + "[pop3]\nagent_enabled = yes\nlisten_addr = \"no-such-name.invalid\"\nlisten_port = \(port + 1)\n")
        #expect(try answer(port) != nil)
        #expect(manager.log.contains("the name no-such-name.invalid was not found"), "\(manager.log)")
        #expect(try manager.client().scan("EICAR").isInfected)
        try manager.stop()
    }

    /// The process id that the fake agent answers with.
    private func answer(_ port: Int) throws -> pid_t? {
        let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(fd) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(connected == 0, "the connection was refused")
        var buffer = [UInt8](repeating: 0, count: 32)
        let count = read(fd, &buffer, buffer.count)
        return pid_t(String(decoding: buffer[..<max(0, count)], as: UTF8.self).filter(\.isNumber))
    }

    @Test("counters of agents add up under their names; odd names are dropped")
    func counters() throws {
        let manager = try RunningManager()
        let client = manager.client()
        try client.count(["scanned": 3, "Bad Name\n": 1])
        try client.count(["scanned": 4])
        let status = try manager.status()
        #expect(status["smtp.scanned"] == "7")
        #expect(!status.keys.contains { $0.contains("Bad") })
        try manager.stop()
    }

    @Test("a client that breaks the protocol is dropped")
    func hostileClient() throws {
        let manager = try RunningManager()
        for attack in [[1, 2, 3], ControlRequest.status.message().packets[0], WireMessage(type: 99).packets[0]] {
            let socket = try UnixSocket.connect(path: manager.socket)
            try UnixSocket.send(socket, attack)
            #expect((try? UnixSocket.receive(socket)) ?? nil == nil)
        }
        #expect(try manager.client().scan("EICAR").isInfected)
        try manager.stop()
    }

    @Test("what a scanning process says that was taken over harms nobody")
    func babble() throws {
        let manager = try RunningManager()
        // Each process lies and ends itself, the one that is alone too.
        #expect(throws: ScanClientError.self) { _ = try manager.client(patience: .milliseconds(500)).scan("babble") }
        try manager.wait("the lie") { $0["Scanned"] == String(UInt64.max) && $0["Queued"] == "0" }
        #expect(try manager.client().scan("EICAR").isInfected)
        // Lines of one process beyond so many in a second are dropped.
        let ids = manager.log.split(separator: "\n").filter { $0.hasSuffix(": babble") }
            .compactMap { $0.split(separator: " ").dropLast().last }
        let loudest = Dictionary(grouping: ids) { $0 }.values.map(\.count).max()
        #expect(loudest.map { $0 < 500 } == true)
        try manager.stop()
    }

    @Test("a client that asks for connections and takes none costs no descriptors")
    func greedyClient() throws {
        let manager = try RunningManager()
        _ = try manager.client().scan("hello")
        let socket = try UnixSocket.connect(path: manager.socket)
        try UnixSocket.send(socket, ControlRequest.hello(version: 1, agent: "greedy").message().packets[0])
        let before = try Files.names(in: "/proc/self/fd").count
        var refusals = 0
        for number in 0..<3_000 where refusals < 100 {
            let packet = ControlRequest.connect.message(request: UInt32(number)).packets[0]
            do throws(SystemError) { try UnixSocket.send(socket, packet, flags: Int32(MSG_DONTWAIT)) } catch {
                refusals += 1
                usleep(5_000)
            }
        }
        #expect(try Files.names(in: "/proc/self/fd").count < before + 64)
        #expect(try manager.client().scan("EICAR").isInfected)
        try manager.stop()
    }

    @Test("an isolated process that cannot load its modules is answered for and frees its place")
    func isolatedRefusal() throws {
        let manager = try RunningManager()
        _ = try manager.client().scan("hello")
        try Files.replace("\(manager.root)/var/opt/eset/esets/lib/generations/1/broken", with: [])
        // More than there are places.
        for _ in 0..<6 { #expect(try connectAlone(manager).contains("refused its modules")) }
        try manager.stop()
    }

    @Test("without modules nobody waits for an isolated process")
    func isolatedWithoutModules() throws {
        let manager = try RunningManager(generations: [])
        #expect(try connectAlone(manager).contains("no modules are installed"))
        try manager.stop()
    }

    /// Why the manager gave no connection.
    private func connectAlone(_ manager: RunningManager) throws -> String {
        let socket = try UnixSocket.connect(path: manager.socket)
        var answer: ControlReply?
        for request in [ControlRequest.hello(version: 1, agent: "test"), .connectAlone] {
            try UnixSocket.send(socket, request.message().packets[0])
            var entry = pollfd(fd: socket.raw, events: Int16(POLLIN), revents: 0)
            try #require(poll(&entry, 1, 20_000) > 0, "nothing came")
            let packet = try #require(try UnixSocket.receive(socket))
            var assembler = PacketAssembler(limit: WireLimits.reply)
            answer = try ControlReply(try #require(try assembler.add(packet.bytes)))
        }
        guard case .refused(.unavailable, let text) = answer else { return "\(String(describing: answer))" }
        return text
    }
}
