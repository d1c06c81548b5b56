import Configuration
import Glibc
import Mail
import Platform
import Quarantine
import ScanClient
import Testing

@testable import OnDemand

@Suite struct CommandLineTests {
    private final class Lines {
        var output: [String] = []
        var errors: [String] = []
    }

    private struct Outcome {
        var code: Int32
        var output: [String]
        var errors: [String]
        var run: CommandLineRun
    }

    private func run(_ scratch: Scratch, _ paths: [String], _ configuration: String = "") throws -> Outcome {
        let lines = Lines()
        var run = CommandLineRun(
            scanner: FakeScanner(), settings: try scratch.configuration(configuration).settings(for: "cli"),
            quarantine: QuarantineStore(directory: "\(scratch.path)/quarantine"), log: quiet,
            print: { lines.output.append($0) }, complain: { lines.errors.append($0) })
        run.scan(paths, FileSelection())
        return Outcome(code: run.exitCode, output: lines.output, errors: lines.errors, run: run)
    }

    @Test func cleanFile() throws {
        let scratch = try Scratch()
        let path = try scratch.file("mail")
        let outcome = try run(scratch, [path])
        #expect(outcome.code == 0)
        #expect(outcome.output == ["\(path): action=\"accepted\""])
    }

    /// Both clauses of amavisd-new: `virus="([^"]+)"`, and an action that is not accepted on the line before.
    @Test func infectedFileInADirectory() throws {
        let scratch = try Scratch()
        try scratch.file("parts/p001", "hello")
        let path = try scratch.file("parts/sub/p002", "virus Test.Virus\n")
        let outcome = try run(scratch, ["\(scratch.path)/parts"])
        #expect(outcome.code == 3)
        #expect(outcome.output.suffix(2) == ["\(path): action=\"rejected\"", "\(path): virus=\"Test.Virus\""])
        let all = outcome.output.joined(separator: "\n")
        #expect(all.firstMatch(of: /virus="([^"]+)"/)?.1 == "Test.Virus")
        let second = all.firstMatch(of: /:\s*action="(?!accepted)[^"]*"\n.*:\s*virus="([^"]*)"/)
        #expect(second?.1 == "Test.Virus")
        // Nothing is cleaned.
        #expect(Files.exists(path))
    }

    @Test(arguments: [("accept", 0), ("defer", 1), ("discard", 2), ("reject", 3)] as [(String, Int32)])
    func exitCodes(_ action: String, _ code: Int32) throws {
        let scratch = try Scratch()
        let path = try scratch.file("x", "virus V")
        #expect(try run(scratch, [path], "[cli]\naction_av_infected = \"\(action)\"\n").code == code)
    }

    @Test func theWorstActionCounts() throws {
        let scratch = try Scratch()
        let paths = [
            try scratch.file("1", "unscanned encrypted"), try scratch.file("2", "virus V"), try scratch.file("3"),
        ]
        let settings = "[cli]\naction_av_infected = \"discard\"\naction_av_notscanned = \"defer\"\n"
        #expect(try run(scratch, paths, settings).code == 2)
        #expect(try run(scratch, [paths[0], paths[2]], settings).code == 1)
    }

    @Test func errorsNeverHideABlockedFile() throws {
        let scratch = try Scratch()
        let good = try scratch.file("good")
        let bad = try scratch.file("bad", "virus V")
        let broken = try scratch.file("broken", "error")
        #expect(try run(scratch, [good, broken]).code == 100)
        #expect(try run(scratch, [good, "/nowhere"]).code == 100)
        let outcome = try run(scratch, [broken, bad, "/nowhere"])
        #expect(outcome.code == 3)
        #expect(outcome.errors.count == 2)
        #expect(outcome.errors.contains("esets_cli: /nowhere: No such file or directory"))
    }

    @Test func withoutDaemonNothingIsAccepted() throws {
        let scratch = try Scratch()
        let outcome = try run(scratch, [try scratch.file("x", "away")])
        #expect(outcome.code == 100)
        #expect(outcome.output.isEmpty)
    }

    @Test func namesCannotForgeOutput() throws {
        let scratch = try Scratch()
        let path = try scratch.file("a\nb: action=\"accepted\"", "virus A\"B")
        let outcome = try run(scratch, [path])
        #expect(outcome.output.allSatisfy { !$0.contains("\n") })
        #expect(outcome.output.last?.hasSuffix("virus=\"A'B\"") == true)
    }

    @Test func quarantine() throws {
        let scratch = try Scratch()
        let path = try scratch.file("x", "virus V")
        _ = try run(scratch, [path], "[cli]\nav_quarantine_enabled = yes\n")
        let entries = try QuarantineStore(directory: "\(scratch.path)/quarantine").list()
        #expect(entries.first?.records.first?.name == path)
    }

    @Test func aDiscardedFileThatCannotBeKeptIsDeferred() throws {
        let scratch = try Scratch()
        let path = try scratch.file("x", "virus V")
        // A file where the directory should be.
        try scratch.file("quarantine")
        let settings = "[cli]\nav_quarantine_enabled = yes\naction_av_infected = \"discard\"\n"
        #expect(try run(scratch, [path], settings).code == 1)
    }

    @Test func countersAndFirstAction() throws {
        let scratch = try Scratch()
        let outcome = try run(scratch, [try scratch.file("x", "virus V"), "/nowhere"])
        #expect(outcome.run.counters.values == ["scanned": 1, "infected": 1, "rejected": 1, "error": 1])
        let unscanned = try run(scratch, [try scratch.file("x", "virus V")], "[cli]\naction_av = \"accept\"\n")
        #expect(unscanned.code == 0)
        #expect(unscanned.run.counters.values == ["accepted": 1])
    }
}
