import Bytes
import EventLoop
import Synchronization
import Testing

@Suite struct ReactorTests {
    @Test func tasksStayOnTheReactor() async throws {
        try await onReactor { reactor in
            #expect(reactor.isOnLoop)
            let there = Completion<Bool>(reactor)
            reactor.spawn("inner") {
                await reactor.yield()
                let before = reactor.isOnLoop
                await Task.yield()
                there.fulfil(before && reactor.isOnLoop)
            }
            #expect(try await there.value(deadline: patience))
            let elsewhere = try await reactor.offload { reactor.isOnLoop }
            #expect(!elsewhere)
            #expect(reactor.isOnLoop)
        }
    }

    private actor Counter {
        private let reactor: Reactor
        private let executor: ReactorSerialExecutor
        private(set) var count = 0

        init(_ reactor: Reactor) {
            self.reactor = reactor
            executor = ReactorSerialExecutor(reactor)
        }

        nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

        func add() -> Bool {
            count += 1
            return reactor.isOnLoop
        }
    }

    @Test func actorsCanLiveOnTheReactor() async throws {
        try await onReactor { reactor in
            let counter = Counter(reactor)
            for _ in 0..<100 { #expect(await counter.add()) }
            #expect(await counter.count == 100)
            #expect(reactor.isOnLoop)
        }
    }

    /// Two threads that wake each other thousands of times: no wake-up gets lost.
    @Test func reactorsWakeOneAnother() async throws {
        let first = try ReactorThread("first")
        let second = try ReactorThread("second")
        let sum = await Task(executorPreference: first.reactor) {
            var sum = 0
            for number in 0..<3000 {
                let answer = Completion<Int>(first.reactor)
                second.reactor.spawn("answer") { answer.fulfil(number) }
                sum += (try? await answer.value(deadline: patience)) ?? 0
                sum += await Task(executorPreference: second.reactor) { 1 }.value
            }
            return sum
        }.value
        #expect(sum == 2999 * 3000 / 2 + 3000)
        for thread in [first, second] {
            thread.reactor.stop(deadline: patience)
            thread.join()
        }
    }

    @Test func reactorsGoAway() async throws {
        weak var gone: Reactor?
        var left: EventLoop.Stream?
        do {
            let thread = try ReactorThread("short")
            gone = thread.reactor
            left = try await Task(executorPreference: thread.reactor) { [reactor = thread.reactor] in
                let (a, b) = try Stream.pair(reactor)
                _ = try? await a.fill(deadline: .milliseconds(1))
                b.close()
                return a
            }.value
            thread.reactor.stop(deadline: patience)
            thread.join()
        }
        #expect(left != nil)
        left = nil
        // A task's last reference to its executor goes just after its value is there.
        let end = ContinuousClock.now + .seconds(30)
        while gone != nil, .now < end { try await Task.sleep(for: .milliseconds(5)) }
        #expect(gone == nil)
    }

    @Test func completionsTimeOutAndKeepTheFirstValue() async throws {
        try await onReactor { reactor in
            let completion = Completion<Int>(reactor)
            let late = await error { () throws(StreamError) in
                _ = try await completion.value(deadline: .milliseconds(5))
            }
            #expect(late == .timedOut)
            completion.fulfil(1)
            completion.fulfil(2)
            let value = try await completion.value(deadline: patience)
            #expect(value == 1)
        }
    }

    /// 1,000 clients at once; each connection has a timer that the server waits for before it answers.
    @Test func thousandConnectionsWithTimers() async throws {
        let server = try ReactorThread("server")
        let listener = try loopback(server.reactor)
        let target = listener.local
        server.reactor.spawn("accept") { [reactor = server.reactor] in
            while let stream = try? await listener.accept() {
                reactor.spawn("connection") {
                    do throws(StreamError) {
                        let request = try await stream.read(count: 4, deadline: patience)
                        try await reactor.sleep(until: .milliseconds(20))
                        stream.write(request)
                    } catch {
                        Issue.record(error)
                    }
                    await stream.close(deadline: patience)
                }
            }
        }
        let answered = try await onReactor { reactor in
            await withTaskGroup(of: Bool.self) { group in
                for number in 0..<1000 {
                    group.addTask(executorPreference: reactor) {
                        do throws(StreamError) {
                            let stream = try await Stream.connect(reactor, to: target, deadline: patience)
                            let request = (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
                            stream.write(request)
                            let answer = try await stream.read(count: 4, deadline: patience)
                            return try await !stream.fill(deadline: patience) && answer == request
                        } catch {
                            Issue.record(error)
                            return false
                        }
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
        }
        #expect(answered == 1000)
        server.reactor.stop(deadline: patience)
        server.join()
        #expect(server.reactor.taskCount == 0)
    }

    /// A client that keeps its command coming byte by byte is cut off at the state's deadline.
    @Test func slowClientIsCut() async throws {
        try await onReactor { reactor in
            let (server, client) = try Stream.pair(reactor)
            let drip = Task(executorPreference: reactor) {
                var count = 0
                do throws(StreamError) {
                    while true {
                        client.write("x")
                        try await client.flush(deadline: patience)
                        count += 1
                        try await reactor.sleep(until: .milliseconds(1))
                    }
                } catch {
                    return (count, error)
                }
            }
            let outcome = await error { () throws(StreamError) in
                _ = try await server.readLine(limit: 1 << 20, deadline: .milliseconds(60))
            }
            #expect(outcome == .timedOut)
            #expect(server.input.count > 0)
            server.close()
            let (count, end) = await drip.value
            #expect(count > 0)
            #expect(end == .reset)
        }
    }

    @Test func stopDrains() async throws {
        let thread = try ReactorThread("server")
        let reactor = thread.reactor
        let listener = try loopback(reactor)
        let target = listener.local
        let log = Mutex<[String]>([])
        let isBusy = Completion<Void>(reactor)
        reactor.spawn("accept") {
            while let stream = try? await listener.accept() {
                reactor.spawn("connection") {
                    do throws(StreamError) {
                        while true {
                            // Idle between commands: may be interrupted. In the middle of one: not.
                            guard try await stream.fill(deadline: patience, interruptible: true) else { break }
                            isBusy.fulfil(())
                            try await stream.read(atLeast: 8, deadline: patience)
                            stream.consume(8)
                            stream.write("done")
                        }
                    } catch .stopping {
                        stream.write("bye!")
                    } catch {
                        Issue.record(error)
                    }
                    await stream.close(deadline: patience)
                    log.withLock { $0.append("ended") }
                }
            }
            log.withLock { $0.append("listener ended") }
        }
        try await onReactor { clients in
            let idle = try await Stream.connect(clients, to: target, deadline: patience)
            let busy = try await Stream.connect(clients, to: target, deadline: patience)
            busy.write("1234")
            try await busy.flush(deadline: patience)
            // The server has begun with the command: only then the stop may come.
            try await Task(executorPreference: reactor) { try await isBusy.value(deadline: patience) }.value

            reactor.stop(deadline: patience)
            #expect(try await idle.read(count: 4, deadline: patience) == Array("bye!".utf8))
            idle.close()
            busy.write("5678")
            #expect(try await busy.read(count: 8, deadline: patience) == Array("donebye!".utf8))
            busy.close()
        }
        thread.join()
        #expect(log.withLock { $0 } == ["listener ended", "ended", "ended"])
        #expect(reactor.taskCount == 0)
    }

    @Test func stopCancelsWhatIsLate() async throws {
        let thread = try ReactorThread("server")
        let reactor = thread.reactor
        let outcome = Mutex<StreamError?>(nil)
        reactor.spawn("stubborn") {
            do throws(StreamError) {
                let (a, _) = try Stream.pair(reactor)
                let (b, c) = try Stream.pair(reactor)
                _ = try await b.fill(deadline: .never)
                withExtendedLifetime((a, c)) {}
            } catch {
                outcome.withLock { $0 = error }
            }
        }
        reactor.stop(deadline: .milliseconds(20))
        thread.join()
        #expect(outcome.withLock { $0 } == .cancelled)
    }
}
