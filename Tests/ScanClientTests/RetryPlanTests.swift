import ScanClient
import ScanProtocol
import Testing

@Suite("Retry plan") struct RetryPlanTests {
    private let second: UInt64 = 1_000_000_000

    @Test("a death of an ordinary process leads to a retry alone, whatever killed it")
    func firstDeath() {
        for fate in [WorkerFate.killed(signal: 11), .killed(signal: 9), .running, .unknown, .exited(status: 1)] {
            var plan = RetryPlan(now: 0, patience: second)
            #expect(plan.start == .attempt(isAlone: false, after: 0))
            #expect(plan.lost(worker: 4) == .askFate(worker: 4))
            #expect(plan.learned(fate, worker: 4, now: 0) == .attempt(isAlone: true, after: 0), "\(fate)")
        }
    }

    @Test("only a signal of its own making, alone, blames the object")
    func blame() {
        for signal: Int32 in [4, 6, 7, 8, 11] {
            var plan = RetryPlan(now: 0, patience: second)
            _ = plan.learned(.killed(signal: 11), worker: 1, now: 0)
            #expect(plan.learned(.killed(signal: signal), worker: 2, now: 0) == .crashed(worker: 2, signal: signal))
        }
        for fate in [WorkerFate.killed(signal: 9), .killed(signal: 15), .exited(status: 0), .unknown, .running] {
            var plan = RetryPlan(now: 0, patience: second)
            _ = plan.learned(.killed(signal: 11), worker: 1, now: 0)
            guard case .attempt(isAlone: true, let delay) = plan.learned(fate, worker: 2, now: 0) else {
                Issue.record("\(fate) does not lead to another try")
                continue
            }
            #expect(delay > 0)
        }
    }

    @Test("a process that was drained takes no blame and no isolation with it")
    func drained() {
        var plan = RetryPlan(now: 0, patience: second)
        guard case .attempt(isAlone: false, _) = plan.learned(.exited(status: 0), worker: 1, now: 0) else {
            Issue.record("not tried again among the others")
            return
        }
    }

    @Test("delays grow, and end in giving up, never in a verdict")
    func patience() {
        var plan = RetryPlan(now: 0, patience: 60 * second)
        var now: UInt64 = 0
        var last: UInt64 = 0
        var tries = 0
        while case .attempt(_, let delay) = plan.unavailable(now: now) {
            #expect(delay >= last)
            #expect(delay <= 2 * second)
            last = delay
            now += delay
            tries += 1
        }
        #expect(plan.unavailable(now: now) == .giveUp)
        #expect(now < 60 * second)
        #expect((20...60).contains(tries))
    }

    @Test("without patience there is one try")
    func noPatience() {
        var plan = RetryPlan(now: 5, patience: 0)
        #expect(plan.unavailable(now: 5) == .giveUp)
    }
}
