import Bytes
import EventLoop
import Glibc
import Platform
import Testing

@Suite struct StreamTests {
    @Test func closesAtOnceOnlyWhereNothingIsLost() async throws {
        try await onReactor { reactor in
            let (server, client) = try Stream.pair(reactor)
            server.write("bye")
            #expect(server.closeIfQuiet())
            #expect(server.isClosed)
            #expect(try await client.read(count: 3, deadline: patience) == Array("bye".utf8))
            #expect(try await !client.fill(deadline: patience))

            let (careful, hasty) = try Stream.pair(reactor)
            hasty.write("more")
            try await hasty.flush(deadline: patience)
            try await careful.read(atLeast: 1, deadline: patience)
            // What is unread would turn the end into a reset.
            #expect(!careful.closeIfQuiet())
            #expect(!careful.isClosed)

            let (full, slow) = try Stream.pair(reactor)
            full.write([UInt8](repeating: 0x78, count: 4 << 20))
            #expect(!full.closeIfQuiet())
            withExtendedLifetime(slow) {}
        }
    }

    @Test func smallWritesArriveTogether() async throws {
        try await onReactor { reactor in
            let (a, b) = try Stream.pair(reactor)
            for _ in 0..<10 { a.write("ab") }
            #expect(a.pendingOutput == 20)
            try await a.flush(deadline: patience)
            #expect(a.pendingOutput == 0)
            #expect(try await b.fill(deadline: patience))
            #expect(b.input.count == 20)
            b.consume(5)
            #expect(b.input.equals(ByteView("babababababababab").prefix(15)))
        }
    }

    @Test func waitingForInputSendsWhatWasWritten() async throws {
        try await onReactor { reactor in
            let (a, b) = try Stream.pair(reactor)
            let echo = Task(executorPreference: reactor) {
                let line = try await b.readLine(limit: 100, deadline: patience)
                b.write(line ?? [])
                try await b.flush(deadline: patience)
            }
            a.write("HELO example.org\r\n")
            #expect(try await a.readLine(limit: 100, deadline: patience) == Array("HELO example.org\r\n".utf8))
            try await echo.value
        }
    }

    @Test func linesAreBounded() async throws {
        try await onReactor { reactor in
            let (a, b) = try Stream.pair(reactor)
            a.write("one\ntwo\r\n0123456789")
            await a.close(deadline: .now)
            #expect(try await b.readLine(limit: 4, deadline: patience) == Array("one\n".utf8))
            #expect(try await b.readLine(limit: 10, deadline: patience) == Array("two\r\n".utf8))
            let tooLong = await error { () throws(StreamError) in
                _ = try await b.readLine(limit: 10, deadline: patience)
            }
            #expect(tooLong == .overflow)
            #expect(try await b.readLine(limit: 11, deadline: patience) == nil)
            let short = await error { () throws(StreamError) in try await b.read(atLeast: 11, deadline: patience) }
            #expect(short == .closed)
            #expect(try await b.read(count: 10, deadline: patience) == Array("0123456789".utf8))
        }
    }

    @Test func unreadInputIsBounded() async throws {
        try await onReactor { reactor in
            let (a, b) = try Stream.pair(reactor)
            b.inputLimit = 100
            a.write([UInt8](repeating: 1, count: 200))
            try await a.flush(deadline: patience)
            let outcome = await error { () throws(StreamError) in
                while try await b.fill(deadline: patience) {}
            }
            #expect(outcome == .overflow)
        }
    }

    @Test func errorsAreTyped() async throws {
        try await onReactor { reactor in
            let (a, b) = try Stream.pair(reactor)
            let late = await error { () throws(StreamError) in _ = try await a.fill(deadline: .milliseconds(5)) }
            #expect(late == .timedOut)
            let reader = Task(executorPreference: reactor) {
                await error { () throws(StreamError) in _ = try await a.fill(deadline: patience) }
            }
            try await reactor.sleep(until: .milliseconds(5))
            reader.cancel()
            #expect(await reader.value == .cancelled)
            let other = Task(executorPreference: reactor) {
                await error { () throws(StreamError) in _ = try await a.fill(deadline: patience) }
            }
            try await reactor.sleep(until: .milliseconds(5))
            a.close()
            #expect(await other.value == .closed)
            #expect(try await b.fill(deadline: patience) == false)
            b.write("x")
            let broken = await error { () throws(StreamError) in try await b.flush(deadline: patience) }
            #expect(broken == .reset)
        }
    }

    /// "421 go away" and the end, while this side is still sending: the reason must not be lost.
    @Test func lastWordsOfAPeerThatTakesNoMore() async throws {
        try await onReactor { reactor in
            let (a, b) = try Stream.pair(reactor)
            b.write("421 go away\r\n")
            b.close()
            a.write("MAIL FROM:<>\r\n")
            #expect(try await a.readLine(limit: 100, deadline: patience) == Array("421 go away\r\n".utf8))
            let after = await error { () throws(StreamError) in _ = try await a.fill(deadline: patience) }
            #expect(after == .reset)
        }
    }

    @Test func halfClose() async throws {
        try await onReactor { reactor in
            let (a, b) = try Stream.pair(reactor)
            a.write("question")
            try await a.finishWriting(deadline: patience)
            while try await b.fill(deadline: patience) {}
            #expect(b.input.equals(ByteView("question")))
            b.write("answer")
            b.close()
            while try await a.fill(deadline: patience) {}
            #expect(a.input.equals(ByteView("answer")))
        }
    }

    @Test func backPressure() async throws {
        try await onReactor { reactor in
            let (a, b) = try Stream.pair(reactor)
            let total = 4 << 20
            let reader = Task(executorPreference: reactor) {
                var count = 0
                var sum: UInt64 = 0
                while try await b.fill(deadline: patience) {
                    #expect(b.input.count <= b.inputLimit)
                    count += b.input.count
                    sum &+= UInt64(b.input[0]) &+ UInt64(b.input[b.input.count - 1])
                    b.consume(b.input.count)
                }
                return count
            }
            let piece = [UInt8](repeating: 7, count: 100_000)
            var sent = 0
            while sent < total {
                let count = min(piece.count, total - sent)
                try await piece.withView { view throws(StreamError) in
                    try await a.send(view.prefix(count), deadline: patience)
                }
                #expect(a.pendingOutput <= a.outputLimit + piece.count)
                sent += count
            }
            try await a.finishWriting(deadline: patience)
            #expect(try await reader.value == total)
        }
    }

    /// A client that sends commands for ever and takes no answers must stop being read.
    @Test func clientThatTakesNoAnswers() async throws {
        try await onReactor { reactor in
            let (a, b) = try Stream.pair(reactor)
            let outcome = await error { () throws(StreamError) in
                while true {
                    a.write([UInt8](repeating: 1, count: 50_000))
                    b.write("x")
                    try await b.flush(deadline: patience)
                    _ = try await a.fill(deadline: .milliseconds(50))
                    a.consume(1)
                }
            }
            #expect(outcome == .timedOut)
            #expect(a.pendingOutput < 1 << 20)
        }
    }

    @Test func sendsFiles() async throws {
        try await onReactor { reactor in
            let (a, b) = try Stream.pair(reactor)
            var content = [UInt8](repeating: 0, count: 700_000)
            for i in content.indices { content[i] = UInt8(truncatingIfNeeded: i &* 31 >> 3) }
            let file = try Descriptor.memory(name: "test")
            try file.writeAll(content)
            let reader = Task(executorPreference: reactor) {
                var all: [UInt8] = []
                while try await b.read(into: &all, deadline: patience) > 0 {}
                return all
            }
            a.write("before ")
            try await a.sendFile(file.raw, offset: 1000, count: 600_000, deadline: patience)
            let tooShort = await error { () throws(StreamError) in
                try await a.sendFile(file.raw, offset: 699_999, count: 2, deadline: patience)
            }
            #expect(tooShort == .system(EIO, call: "sendfile"))
            let absurd = await error { () throws(StreamError) in
                try await a.sendFile(file.raw, offset: UInt64(Int64.max), count: 2, deadline: patience)
            }
            #expect(absurd == .system(EINVAL, call: "sendfile"))
            a.close()
            let expected = Array("before ".utf8) + content[1000..<601_000] + content[699_999...]
            #expect(try await reader.value == expected)
        }
    }

    @Test func foreignDescriptors() async throws {
        try await onReactor { reactor in
            let (one, two) = try UnixSocket.pair()
            let late = await error { () throws(StreamError) in
                try await reactor.readable(one.raw, deadline: .milliseconds(5))
            }
            #expect(late == .timedOut)
            try UnixSocket.send(two, [1, 2, 3])
            try await reactor.readable(one.raw, deadline: patience)
            #expect(try UnixSocket.receive(one)?.bytes == [1, 2, 3])
            try await reactor.writable(one.raw, deadline: patience)
            let file = try Descriptor.temporary(in: "/tmp")
            try await reactor.readable(file.raw, deadline: patience)
        }
    }

    @Test func inputIsReportedAgainAndAgain() async throws {
        try await onReactor { reactor in
            let (one, two) = try UnixSocket.pair()
            try UnixSocket.send(two, [1])
            let input = try reactor.watchInput(one.raw)
            // What was there before, what came while nobody waited, and the end.
            try await input.wait(deadline: patience)
            #expect(try UnixSocket.receive(one)?.bytes == [1])
            let late = await error { () throws(StreamError) in try await input.wait(deadline: .milliseconds(5)) }
            #expect(late == .timedOut)
            try UnixSocket.send(two, [2])
            try await input.wait(deadline: patience)
            #expect(try UnixSocket.receive(one)?.bytes == [2])
            shutdown(two.raw, Int32(SHUT_RDWR))
            try await input.wait(deadline: patience)
            #expect(try UnixSocket.receive(one) == nil)
            input.close()
            let closed = await error { () throws(StreamError) in try await input.wait(deadline: patience) }
            #expect(closed == .closed)
            // The descriptor is free for another watch.
            try await reactor.readable(one.raw, deadline: patience)
        }
    }

    @Test func droppedStreamsCloseTheirDescriptor() async throws {
        try await onReactor { reactor in
            let (a, b) = try Stream.pair(reactor)
            _ = consume a
            #expect(try await b.fill(deadline: patience) == false)
        }
    }
}

extension [UInt8] {
    /// Keeps the array alive and in place across the awaits of the body.
    func withView(_ body: (ByteView) async throws(StreamError) -> Void) async throws(StreamError) {
        let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: count)
        defer { copy.deallocate() }
        _ = copy.initialize(from: self)
        try await body(ByteView(UnsafeBufferPointer(copy)))
    }
}
