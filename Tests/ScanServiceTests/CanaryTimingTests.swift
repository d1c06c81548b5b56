import FakeEngine
import ScanProtocol
import Testing

@testable import ScanService

@Suite("Timing of a canary") struct CanaryTimingTests {
    @Test("slower by proportion and by more than noise") func limits() {
        #expect(CanaryTiming(new: 500_000_000, old: 100_000_000).isTooSlow(percent: 400))
        #expect(!CanaryTiming(new: 400_000_000, old: 100_000_000).isTooSlow(percent: 400))
        #expect(!CanaryTiming(new: 19_000_000, old: 1).isTooSlow(percent: 400))
        #expect(!CanaryTiming(new: 10, old: 500_000_000).isTooSlow(percent: 400))
        #expect(CanaryTiming(new: .max, old: .max / 5).isTooSlow(percent: 400))
    }

    @Test("the same engine takes about no time beside itself") func same() throws {
        let engine = FakeEngine()
        let timing = try #require(CanaryTiming(engine.load(generation: 1), beside: engine.load(generation: 2)))
        #expect(!timing.isTooSlow(percent: 400))
    }
}
