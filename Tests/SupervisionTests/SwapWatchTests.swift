import Configuration
import Generations
import Glibc
import Platform
import ScanClient
import ScanProtocol
import Testing

@testable import Supervision

@Suite("Watch after a swap", .serialized) struct SwapWatchTests {
    private func refusal(_ manager: RunningManager, _ generation: UInt64) -> String {
        do throws(ScanClientError) { return "taken: \(try manager.client().offer(generation: generation))" } catch {
            return error.message
        }
    }

    @Test("a generation that is much slower is refused, and status, log and an event say why")
    func slow() throws {
        let manager = try RunningManager(
            "scheduler_tasks = \"1;Told;;;refused;/bin/sh @BASEDIR@/told;2;Swapped;;;engine;/bin/sh @BASEDIR@/told;"
                + "3;Off;disabled;;engine;/bin/sh @BASEDIR@/told;4;Later;;;engine;@sscan lowest;\"\n",
            generations: ["1", "2 slow", "3"])
        let base = "\(manager.root)/var/opt/eset/esets/lib"
        let script = "echo \"$ESETS_EVENT,$ESETS_NAME,$1,$2,$ESETS_INFO\" >> \(base)/events\n"
        try Files.replace("\(base)/told", with: Array(script.utf8))
        #expect(refusal(manager, 2).contains("generation 2 is refused: it is too slow: the test objects take "))
        let status = try manager.status()
        #expect(status["Generation"] == "1")
        #expect(status["LastRefusal"]?.contains("it is too slow") == true)
        #expect(status["LastRefusalTime"].flatMap(UInt64.init).map { $0 > 1_700_000_000 } == true)
        #expect(manager.log.contains("event refused: generation 2: generation 2 is refused: it is too slow"))
        #expect(refusal(manager, 3) == "taken: generation 3 is in use")
        func events() -> [Substring] { ((try? Files.text("\(base)/events")) ?? "").split(separator: "\n") }
        try manager.wait("two events") { _ in events().count >= 2 }
        let lines = events().sorted()
        #expect(lines.count == 2)
        #expect(lines.first == "engine,generation 3,engine,generation 3,it is in use in place of generation 1")
        #expect(
            lines.last?.hasPrefix("refused,generation 2,refused,generation 2,generation 2 is refused: it is") == true)
        // With any time allowed the same one is taken.
        try manager.configure("av_update_max_slowdown = 0\n")
        _ = try manager.client().reload()
        #expect(refusal(manager, 2) == "taken: generation 2 is in use")
        try manager.stop()
    }

    @Test("a generation that leaves much more unscanned is left, and not tried again")
    func blind() throws {
        let manager = try RunningManager(generations: ["1", "2 blind"])
        for _ in 0..<60 { _ = try manager.client().scan("zip") }
        try manager.wait("counts") { $0["Scanned"] == "60" }
        _ = try manager.client().offer(generation: 2)
        try manager.wait("the old one again") { status in
            for _ in 0..<20 { _ = try? manager.client().scan("zip") }
            return status["Generation"] == "1"
        }
        #expect(manager.log.contains("Generation 1 scans beside it now, to compare"))
        let status = try manager.wait("no comparison any more") { $0["SwapWatch"] == "" }
        #expect(status["LastRefusal"]?.contains("generation 2 is left for generation 1") == true)
        #expect(status["BadGeneration.2"]?.contains("objects were not scanned") == true)
        #expect(refusal(manager, 2).contains("it was left before and is not tried again until its content changes"))
        // All processes have the old one, and there are as many as before.
        try manager.wait("two processes with generation 1") { status in
            let scanners = status.values.filter { $0.hasPrefix("scanner") }
            return scanners.count == 2 && scanners.allSatisfy { $0.contains("generation=1 ") }
        }
        #expect(try manager.client().scan("zip").notScanned.isEmpty)
        try manager.stop()
    }

    @Test("when the mail has changed and not the generation, it stays")
    func otherMail() throws {
        let manager = try RunningManager(generations: ["1", "2"])
        for _ in 0..<60 { _ = try manager.client().scan("zip") }
        try manager.wait("counts") { $0["Scanned"] == "60" }
        _ = try manager.client().offer(generation: 2)
        let status = try manager.wait("a decision") { status in
            for _ in 0..<20 { _ = try? manager.client().scan("zip broken") }
            return status["LastRefusal"] != ""
        }
        #expect(status["Generation"] == "2")
        #expect(status["LastRefusal"]?.contains("generation 2 stays in use") == true)
        #expect(!status.keys.contains { $0.hasPrefix("BadGeneration") })
        try manager.wait("two processes with generation 2") { status in
            let scanners = status.values.filter { $0.hasPrefix("scanner") }
            return scanners.count == 2 && scanners.allSatisfy { $0.contains("generation=2 ") }
        }
        try manager.stop()
    }

    @Test("what is offered while two generations are compared takes the place of both")
    func offerDuringComparison() throws {
        let manager = try RunningManager(generations: ["1", "2 blind", "3"])
        for _ in 0..<60 { _ = try manager.client().scan("zip") }
        try manager.wait("counts") { $0["Scanned"] == "60" }
        _ = try manager.client().offer(generation: 2)
        try manager.wait("a comparison") { status in
            if status["SwapWatch"]?.contains("is compared with generation 1") == true { return true }
            // Enough for a suspicion, too few for a decision.
            for _ in 0..<10 { _ = try? manager.client().scan("zip") }
            return false
        }
        #expect(try manager.client().offer(generation: 3) == "generation 3 is in use")
        try manager.wait("two processes with generation 3") { status in
            let scanners = status.values.filter { $0.hasPrefix("scanner") }
            return scanners.count == 2 && scanners.allSatisfy { $0.contains("generation=3 ") }
        }
        try manager.stop()
    }

    @Test("another generation with the content of a bad one is refused without a look at it")
    func sameContent() throws {
        let manager = try RunningManager(generations: ["1"])
        let certificates = "\(manager.root)/etc/opt/eset/esets/certs"
        try Files.makeDirectory("\(certificates)/modules")
        try Trust.makeKeys(private: "\(certificates)/generation.key", public: "\(certificates)/generation.pub")
        let store = GenerationStore(base: "\(manager.root)/var/opt/eset/esets/lib")
        func make(_ content: String) throws -> UInt64 {
            let staged = try store.stage()
            try Files.replace("\(staged.path)/em002_64.dat", with: Array(content.utf8))
            return try staged.commit(seed: try Trust.readKey("\(certificates)/generation.key"))
        }
        let bad = try make("signatures")
        _ = try manager.client().offer(generation: bad)
        // It turns out bad with the first mail that it scans.
        try Files.replace("\(store.path(bad))/crashing", with: [])
        for _ in 0..<8 { _ = try? manager.client(patience: .seconds(10)).scan("hello") }
        try manager.wait("the old one again") { $0["Generation"] == "1" }
        #expect(store.bad.map(\.number) == [bad])
        let same = try make("signatures")
        let text = refusal(manager, same)
        #expect(text.contains("generation \(bad) with the same content was left before"), "\(text)")
        #expect(!manager.log.contains("canary: generation \(same)"))
        let other = try make("other signatures")
        #expect(refusal(manager, other) == "taken: generation \(other) is in use")
        try manager.stop()
    }
}

@Suite("Counts of verdicts") struct VerdictCountsTests {
    @Test("a jump is much more than before, in points and in proportion") func jumps() {
        func jump(_ incomplete: UInt64, _ scanned: UInt64, _ before: (UInt64, UInt64), _ points: Int = 10) -> Bool {
            VerdictCounts(scanned: scanned, incomplete: incomplete)
                .isJump(from: VerdictCounts(scanned: before.1, incomplete: before.0), points: points)
        }
        #expect(jump(20, 100, (1, 1_000)))
        #expect(!jump(9, 100, (1, 1_000)))
        // Few verdicts say nothing.
        #expect(!jump(49, 49, (0, 1_000)))
        #expect(jump(50, 50, (0, 1_000)))
        // More than before, but not twice as many.
        #expect(!jump(60, 100, (400, 1_000)))
        #expect(jump(85, 100, (400, 1_000)))
        // Without a history.
        #expect(!jump(15, 100, (0, 0)))
        #expect(jump(30, 100, (0, 0)))
        #expect(!jump(100, 100, (0, 1_000), 0))
        #expect(jump(.max, .max, (0, 1_000)))
    }

    @Test("what a process may say harms nothing") func lies() {
        var before = WorkerStatistics()
        (before.scanned, before.incomplete) = (100, 10)
        var lie = WorkerStatistics()
        (lie.scanned, lie.incomplete) = (50, .max)
        #expect(VerdictCounts.since(before, lie) == VerdictCounts())
        (lie.scanned, lie.incomplete) = (.max, .max)
        let most = VerdictCounts.since(nil, lie)
        #expect((most + most).scanned == .max)
        (lie.scanned, lie.incomplete) = (160, 200)
        #expect(VerdictCounts.since(before, lie) == VerdictCounts(scanned: 60, incomplete: 60))
    }
}
