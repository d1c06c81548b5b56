import CModuleABI
import ModuleHost
import ScanProtocol
import Scanner
import Testing

/// em001 with a made-up container module, through the real host.
struct ScannerTests {
    private func scan(
        _ bytes: [UInt8], modules: [(file: String, table: UnsafePointer<em_module>?)] = [],
        numbers: [String: Int64] = [:]
    ) throws -> ScanVerdict {
        let generation = try Generation.linked(
            code: [("em001_64.dat", scannerModule())] + modules, data: [])
        let options = OptionTable(ScanOptions(numbers: numbers), ScanEnvelope(agent: "test"))
        let scan = try Scan(generation: generation, object: ObjectBytes(bytes), options: options)
        guard case .done(let verdict) = scan.run() else {
            Issue.record("suspended")
            return ScanVerdict()
        }
        return verdict
    }

    @Test func cleanTextIsClean() throws {
        let verdict = try scan(Array("hello\n".utf8))
        #expect(verdict.findings.isEmpty)
        #expect(verdict.objectCount == 1)
    }

    @Test func childrenAreWalkedDepthFirst() throws {
        // "(a(b)(c))": an object is a list of bracketed children.
        let verdict = try scan(Array("(a(b)(c))(d)".utf8), modules: [("em100_64.dat", bracketModule())])
        #expect(verdict.objectCount == 5)
        let names = verdict.findings.filter { $0.kind == .note }.map(\.name)
        #expect(
            names == [
                "enter", "enter a", "enter b", "leave b", "enter c", "leave c", "leave a", "enter d", "leave d",
                "leave",
            ])
    }

    @Test func depthIsLimited() throws {
        let nested = [UInt8](repeating: 0x28, count: 50) + [UInt8](repeating: 0x29, count: 50)
        let verdict = try scan(
            nested, modules: [("em100_64.dat", bracketModule())], numbers: ["av_scan_max_arch_level": 5])
        #expect(verdict.objectCount == 6)
        #expect(verdict.notScanned.map(\.name) == ["limit: depth"])
    }

    @Test func numberOfObjectsIsLimited() throws {
        let wide = [[UInt8]](repeating: [0x28, 0x29], count: 100).flatMap { $0 }
        let verdict = try scan(
            wide, modules: [("em100_64.dat", bracketModule())], numbers: ["av_scan_max_objects": 10])
        #expect(verdict.objectCount == 11)
        #expect(verdict.notScanned.map(\.name) == ["limit: number of objects"])
    }

    @Test func bytesInPlaceAreLookedAtFourTimes() throws {
        // Each object is nearly all of the one that it lies in: only what was made anew counts against the total.
        let nested = Array((String(repeating: "(", count: 8) + String(repeating: "x", count: 1000)).utf8)
        let closed = nested + [UInt8](repeating: 0x29, count: 8)
        let verdict = try scan(
            closed, modules: [("em100_64.dat", bracketModule())], numbers: ["av_scan_max_total_size": 10])
        #expect(verdict.objectCount == 6)
        #expect(verdict.notScanned.map(\.name) == ["limit: total size"])
    }

    @Test func rangesPointIntoTheRoot() throws {
        let verdict = try scan(Array("(a(b))".utf8), modules: [("em100_64.dat", bracketModule())])
        let inner = try #require(verdict.objects.first { $0.name == "b" })
        #expect(inner.rootRange == 3..<4)
    }

    @Test func aSuspendedScanGoesOnWithTheAnswer() throws {
        let generation = try Generation.linked(
            code: [("em001_64.dat", scannerModule()), ("em100_64.dat", bracketModule())], data: [])
        let options = OptionTable(
            ScanOptions(texts: ["test.ask": "example.org"]), ScanEnvelope(agent: "test"))
        let scan = try Scan(generation: generation, object: ObjectBytes(Array("(a)".utf8)), options: options)
        guard case .suspended(let questions) = scan.run() else {
            Issue.record("not suspended")
            return
        }
        #expect(questions == [Question(kind: .dnsA, key: Array("example.org".utf8))])
        // Without an answer it stays suspended.
        #expect(scan.run() == .suspended(questions))
        scan.provide(questions.map { Answer(question: $0, result: .found, text: Array("127.0.0.2".utf8)) })
        guard case .done(let verdict) = scan.run() else {
            Issue.record("still suspended")
            return
        }
        #expect(verdict.findings.contains { $0.name == "answer 127.0.0.2" })
    }

    @Test func anAnalysisThatCannotBeginIsNoCleanVerdict() throws {
        func reasons(_ status: em_status) throws -> [String] {
            try scan(
                Array("text".utf8), modules: [("em100_64.dat", bracketModule())],
                numbers: ["test.begin": Int64(status)]
            ).notScanned.map(\.name)
        }
        #expect(try reasons(EM_E_MEMORY) == ["error in an analysis module"])
        #expect(try reasons(EM_E_UNSUPPORTED).isEmpty)
    }

    @Test func aContainerThatStopsIsNeverSilent() throws {
        for status in [EM_E_LIMIT, EM_E_DATA, EM_E_INTERNAL, EM_E_MEMORY, EM_E_UNSUPPORTED] {
            let verdict = try scan(
                Array("(a)".utf8), modules: [("em100_64.dat", bracketModule())], numbers: ["test.next": Int64(status)])
            #expect(!verdict.notScanned.isEmpty, "status \(status)")
        }
    }

    @Test func aStructureThatIsTooSmallIsRefused() throws {
        let verdict = try scan(
            Array("(a)".utf8), modules: [("em100_64.dat", bracketModule())], numbers: ["test.small": 1])
        #expect(verdict.objectCount == 1)
        #expect(verdict.notScanned.map(\.name) == ["error in an archive module"])
    }

    @Test func questionsLieAsFarApartAsTheirSizeSays() throws {
        let generation = try Generation.linked(
            code: [("em001_64.dat", scannerModule()), ("em100_64.dat", bracketModule())], data: [])
        let options = OptionTable(ScanOptions(numbers: ["test.apart": 1]), ScanEnvelope(agent: "test"))
        let scan = try Scan(generation: generation, object: ObjectBytes(Array("x".utf8)), options: options)
        let questions = ["a", "b"].map { Question(kind: .dnsA, key: Array($0.utf8)) }
        #expect(scan.run() == .suspended(questions))
        scan.provide(questions.map { Answer(question: $0, result: .none) })
        guard case .done(let verdict) = scan.run() else {
            Issue.record("still suspended")
            return
        }
        #expect(verdict.findings.isEmpty)
    }

    @Test func longAnswersArriveWhole() throws {
        let generation = try Generation.linked(
            code: [("em001_64.dat", scannerModule()), ("em100_64.dat", bracketModule())], data: [])
        let options = OptionTable(ScanOptions(texts: ["test.ask": "example.org"]), ScanEnvelope(agent: "test"))
        let scan = try Scan(generation: generation, object: ObjectBytes(Array("(a)".utf8)), options: options)
        guard case .suspended(let questions) = scan.run() else {
            Issue.record("not suspended")
            return
        }
        // Longer than a name may be, and than a chunk of names: many TXT records.
        let text = [UInt8](repeating: 0x78, count: 20_000)
        scan.provide(questions.map { Answer(question: $0, result: .found, text: text) })
        guard case .done(let verdict) = scan.run() else {
            Issue.record("still suspended")
            return
        }
        #expect(verdict.findings.contains { $0.name == "20000 bytes" })
    }
}
