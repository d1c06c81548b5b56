import EventLoop
import Testing

@Suite struct TimerTests {
    /// Waits that end early, are cancelled or move their deadlines, all mixed: each ends as it should.
    @Test func manyMixedWaits() async throws {
        try await onReactor { reactor in
            await withTaskGroup(of: Bool.self) { group in
                for number in 0..<400 {
                    group.addTask(executorPreference: reactor) {
                        let completion = Completion<Int>(reactor)
                        // In each group of four: too late, in time, in time after two time-outs, and cancelled.
                        let late = number % 4 == 0
                        let delay = (number &* 31) % 23
                        if !late && number % 4 != 3 {
                            reactor.spawn("fulfil") {
                                try? await reactor.sleep(until: .milliseconds(delay))
                                completion.fulfil(number)
                            }
                        }
                        switch number % 4 {
                        case 0:
                            return await error { () throws(StreamError) in
                                _ = try await completion.value(deadline: .milliseconds(delay))
                            } == .timedOut
                        case 1:
                            return (try? await completion.value(deadline: patience)) == number
                        case 2:
                            for _ in 0..<2 { _ = try? await completion.value(deadline: .milliseconds(0)) }
                            return (try? await completion.value(deadline: patience)) == number
                        default:
                            let waiting = Task(executorPreference: reactor) {
                                await error { () throws(StreamError) in
                                    _ = try await completion.value(deadline: patience)
                                }
                            }
                            try? await reactor.sleep(until: .milliseconds(delay))
                            waiting.cancel()
                            return await waiting.value == .cancelled
                        }
                    }
                }
                for await isRight in group { #expect(isRight) }
            }
        }
    }
}
