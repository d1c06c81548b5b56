import EventLoop
import Testing

@Suite struct DeadlineTests {
    @Test func saturates() {
        #expect(Deadline.never.advanced(by: .seconds(1)) == .never)
        #expect(Deadline.seconds(.max) == .never && Deadline.milliseconds(.max) == .never)
        #expect(Deadline.seconds(-1).hasPassed && Deadline.milliseconds(.min).hasPassed)
        #expect(!Deadline.seconds(60).hasPassed && Deadline.seconds(60) < Deadline.milliseconds(61_000))
        #expect(Deadline(nanoseconds: 5).advanced(by: .seconds(Int64.max)) == .never)
        #expect(Deadline(nanoseconds: 5).advanced(by: .seconds(-3)) == Deadline(nanoseconds: 5))
        #expect(Deadline(nanoseconds: 5).advanced(by: .milliseconds(2)) == Deadline(nanoseconds: 2_000_005))
        #expect(!Deadline.never.hasPassed)
        #expect(Deadline.now.hasPassed)
    }

    @Test func sleepersWakeInOrder() async throws {
        let order = try await onReactor { reactor in
            let start = Deadline.now
            var delays: [Int] = []
            for i in 0..<200 { delays.append((i &* 7919) % 40) }
            return try await withThrowingTaskGroup(of: Int.self) { group in
                for delay in delays {
                    group.addTask(executorPreference: reactor) {
                        try await reactor.sleep(until: start.advanced(by: .milliseconds(delay)))
                        #expect(start.advanced(by: .milliseconds(delay)) <= .now)
                        return delay
                    }
                }
                var order: [Int] = []
                for try await delay in group { order.append(delay) }
                return order
            }
        }
        #expect(order.count == 200)
        #expect(order == order.sorted())
    }

    @Test func cancelledSleepEnds() async throws {
        let outcome = try await onReactor { reactor in
            let sleeper = Task(executorPreference: reactor) {
                await error { () throws(StreamError) in try await reactor.sleep(until: .never) }
            }
            try await reactor.sleep(until: .milliseconds(5))
            sleeper.cancel()
            return await sleeper.value
        }
        #expect(outcome == .cancelled)
    }
}
