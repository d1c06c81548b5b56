import Configuration
import Glibc
import JSON
import Platform
import Quarantine
import ScanClient
import ScanProtocol
import Testing

@testable import OnDemand

private final class Collector: FileScanOutput {
    var lines: [String] = []
    var json: [JSONValue] = []
    var skippedPaths: [String] = []

    func scanned(_ file: ScannedFile) {
        lines += FileScanText.lines(file, all: true)
        json.append(FileScanJSON.file(file))
    }
    func unreadable(_ path: String, _ reason: String) { lines.append(FileScanText.line(path, info: reason)) }
    func skipped(_ path: String, _ reason: String) { skippedPaths.append(path) }
    func progress(_ totals: FileScanTotals) {}
}

@Suite struct FileScanTests {
    private func run(
        _ paths: [String], mode: CleanMode = .none, quarantine: QuarantineStore? = nil, interrupted: Bool = false
    ) throws -> (FileScanTotals, Collector) {
        let output = Collector()
        var run = FileScanRun(
            threads: 3, options: ScanOptions(), cleaner: FileCleaner(mode: mode, quarantine: quarantine),
            restoresTime: true, output: output, isInterrupted: { interrupted }, makeScanner: { FakeScanner() })
        try run.scan(paths, FileSelection())
        return (run.totals, output)
    }

    @Test func reportsWhatItFinds() throws {
        let scratch = try Scratch()
        let good = try scratch.file("a.txt")
        let bad = try scratch.file("b.exe", "virus Test.Virus")
        let zip = try scratch.file("c.zip", "member Other")
        let locked = try scratch.file("d.zip", "unscanned encrypted")
        let (totals, output) = try run([scratch.path])
        #expect(
            output.lines == [
                "name=\"\(good)\", threat=\"is OK\", action=\"\", info=\"\"",
                "name=\"\(bad)\", threat=\"Test.Virus\", action=\"retained\", info=\"\"",
                "name=\"\(zip) » ZIP » b/x\", threat=\"Other\", action=\"retained\", info=\"\"",
                "name=\"\(locked)\", threat=\"\", action=\"\", info=\"encrypted\"",
            ])
        #expect(totals.files == 4)
        #expect(totals.infectedFiles == 2)
        #expect(totals.notScannedFiles == 1)
        #expect(totals.exitCode == 50)
        #expect(output.json.map { $0["status"]?.string } == ["clean", "infected", "infected", "notscanned"])
    }

    @Test func jsonTellsEachFindingWhole() throws {
        var verdict = ScanVerdict()
        verdict.findings = [
            Finding(kind: .infected, name: "A", source: "main.ndb", object: 2, offset: 17),
            Finding(kind: .heuristic, name: "Macro", source: "em004", score: 100),
            Finding(kind: .unwanted, name: "PUA.X", source: "daily.ldu"),
            Finding(kind: .unsafe, name: "PUA.Tool.X", source: "daily.ldb"),
            Finding(kind: .heuristic, name: "Odd", score: 40),
        ]
        verdict.objects = [
            ObjectInfo(id: 1, parent: 0), ObjectInfo(id: 2, parent: 1, name: "b/x", format: "ZIP"),
        ]
        let json = FileScanJSON.file(ScannedFile(path: "/p", verdict: verdict))
        let threats = try #require(json["threats"]?.array)
        #expect(threats.map { $0["class"]?.string } == ["signature", "heuristic", "unwanted", "unsafe"])
        #expect(threats.map { $0["source"]?.string } == ["main.ndb", "em004", "daily.ldu", "daily.ldb"])
        #expect(threats[0]["object"]?.string == "/p » ZIP » b/x")
        #expect(threats[0]["offset"]?.integer == 17)
        #expect(threats[1]["offset"] == .null)
        #expect(threats[1]["score"] == .number(100))
        #expect(threats[0]["score"] == .null)
        #expect(json["notes"]?.array?.first?["class"]?.string == "heuristic")
    }

    @Test func manyFilesStayInOrder() throws {
        let scratch = try Scratch()
        for i in 100..<200 { try scratch.file("\(i)", i % 7 == 0 ? "virus V\(i)" : "") }
        let (totals, output) = try run([scratch.path])
        #expect(totals.files == 100)
        #expect(output.json.compactMap { $0["path"]?.string } == (100..<200).map { "\(scratch.path)/\($0)" })
        #expect(totals.infectedFiles == UInt64((100..<200).count { $0 % 7 == 0 }))
    }

    @Test func exitCodes() {
        func code(_ change: (inout FileScanTotals) -> Void) -> Int32 {
            var totals = FileScanTotals()
            change(&totals)
            return totals.exitCode
        }
        #expect(code { _ in } == 0)
        #expect(code { ($0.infectedFiles, $0.cleanedFiles) = (2, 2) } == 1)
        #expect(code { $0.notScannedFiles = 1 } == 10)
        #expect(code { ($0.infectedFiles, $0.cleanedFiles, $0.notScannedFiles) = (1, 1, 1) } == 10)
        #expect(code { ($0.infectedFiles, $0.cleanedFiles, $0.notScannedFiles) = (2, 1, 1) } == 50)
        #expect(code { $0.isInterrupted = true } == 100)
    }

    /// Which files each mode removes.
    @Test func cleanModes() throws {
        let expected: [CleanMode: (plain: Bool, archive: Bool, message: Bool)] = [
            .none: (false, false, false), .standard: (true, false, false), .strict: (true, true, false),
            .rigorous: (true, true, true), .delete: (true, true, true),
        ]
        for mode in CleanMode.allCases {
            let scratch = try Scratch()
            let plain = try scratch.file("plain", "virus V")
            let archive = try scratch.file("archive", "member V")
            let message = try scratch.file("message", "part V")
            let clean = try scratch.file("clean")
            let (totals, output) = try run([scratch.path], mode: mode)
            let wanted = try #require(expected[mode])
            #expect(Files.exists(plain) != wanted.plain, "\(mode)")
            #expect(Files.exists(archive) != wanted.archive, "\(mode)")
            #expect(Files.exists(message) != wanted.message, "\(mode)")
            #expect(Files.exists(clean))
            let removed = [wanted.plain, wanted.archive, wanted.message].count { $0 }
            #expect(totals.cleanedFiles == UInt64(removed))
            #expect(output.lines.count { $0.contains("action=\"cleaned by deleting\"") } == removed)
        }
    }

    @Test("an archive with more threats than a verdict lists is an archive all the same") func manyThreats() {
        var verdict = ScanVerdict()
        verdict.objects = [ObjectInfo(id: 1, parent: 0, type: 8), ObjectInfo(id: 2, parent: 1)]
        verdict.findings = [
            Finding(kind: .infected, name: "V", object: 2),
            Finding(kind: .infected, name: Finding.multipleThreats, object: 1),
        ]
        #expect(!FileCleaner(mode: .standard, quarantine: nil).removes(verdict))
        #expect(FileCleaner(mode: .strict, quarantine: nil).removes(verdict))
    }

    @Test func quarantinesBeforeRemoving() throws {
        let scratch = try Scratch()
        let path = try scratch.file("bad", "virus V")
        let store = QuarantineStore(directory: "\(scratch.path)/q")
        let (totals, _) = try run([path], mode: .standard, quarantine: store)
        #expect(totals.exitCode == 1)
        #expect(try store.list().first?.records.first?.name == path)

        let other = try scratch.file("bad2", "virus V")
        let broken = QuarantineStore(directory: try scratch.file("file"))
        let (failed, output) = try run([other], mode: .standard, quarantine: broken)
        #expect(Files.exists(other))
        #expect(failed.exitCode == 50)
        #expect(output.lines.first?.contains("the file was not removed") == true)
    }

    @Test func onlyTheScannedFileIsRemoved() throws {
        let scratch = try Scratch()
        let path = try scratch.file("bad", "virus V")
        let object = try ScanObject(path: path)
        // Another file takes its place after the scan.
        try Files.remove(path)
        try scratch.file("bad", "precious")
        let verdict = try FakeScanner().scan(object, options: ScanOptions(), envelope: ScanEnvelope(agent: "scan"))
        let cleaner = FileCleaner(mode: .delete, quarantine: nil)
        let result = cleaner.clean(object, path: path, verdict, QuarantineRecord(time: 0, name: path, agent: "scan"))
        guard case .failed = result else {
            Issue.record("\(result)")
            return
        }
        #expect(try Files.text(path) == "precious")
    }

    @Test func aLinkLosesItsTarget() throws {
        let scratch = try Scratch()
        let path = try scratch.file("bad", "virus V")
        let link = "\(scratch.path)/link"
        symlink(path, link)
        _ = try run([link], mode: .standard)
        #expect(!Files.exists(path))
    }

    @Test func unreadableFilesAreCounted() throws {
        let scratch = try Scratch()
        let (totals, output) = try run(["/nowhere", try scratch.file("x", "error")])
        #expect(totals.notScannedFiles == 2)
        #expect(totals.exitCode == 10)
        #expect(
            output.lines[0]
                == "name=\"/nowhere\", threat=\"\", action=\"\", info=\"error opening (No such file or directory)\"")
    }

    @Test func aMissingDaemonEndsTheRun() throws {
        let scratch = try Scratch()
        let path = try scratch.file("x", "away")
        #expect(throws: ScanClientError.self) { try run([path]) }
    }

    @Test func interruptionIsNoCleanResult() throws {
        let scratch = try Scratch()
        try scratch.file("x")
        let (totals, _) = try run([scratch.path], interrupted: true)
        #expect(totals.files == 0)
        #expect(totals.exitCode == 100)
    }

    @Test func summaryBlock() {
        var totals = FileScanTotals()
        totals.files = 232
        totals.objects = 1699
        totals.infectedFiles = 188
        totals.infectedObjects = 886
        #expect(
            FileScanText.summary(totals, completed: "Sun", seconds: 3_909) == [
                "Scan completed at: Sun",
                "Scan time:         3909 sec (1:05:09)",
                "Total:             files - 232, objects 1699",
                "Infected:          files - 188, objects 886",
                "Cleaned:           files - 0, objects 0",
            ])
    }

    @Test func namesCannotForgeFields() {
        let line = FileScanText.line("a\", threat=\"x\n\u{1B}[2Jb\\", info: "i")
        #expect(line == "name=\"a\\\", threat=\\\"x\\n\\u{1b}[2Jb\\\\\", threat=\"\", action=\"\", info=\"i\"")
    }

    @Test func jsonSummary() {
        var totals = FileScanTotals()
        totals.files = 1
        #expect(FileScanJSON.summary(totals, seconds: 2)["files"]?.integer == 1)
        #expect(FileScanJSON.unreadable("/x", "r")["status"]?.string == "notscanned")
        #expect(FileScanJSON.skipped("/x", "r")["type"]?.string == "skipped")
    }
}
