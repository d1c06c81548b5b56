import Configuration
import Glibc
import Mail
import Platform
import Quarantine
import ScanClient
import Testing

@testable import OnDemand

@Suite struct PipeTests {
    private let message = """
        Subject: Offer\r
        Content-Type: multipart/mixed; boundary=b\r
        \r
        --b\r
        Content-Type: text/plain\r
        \r
        Hello.\r
        --b\r
        Content-Type: application/octet-stream; name=x.exe\r
        \r
        part Test.Virus\r
        --b--\r

        """

    private func run(
        _ text: String, _ configuration: String = "", recipients: [String] = [], scratch: Scratch? = nil
    ) throws -> (Disposition, String) {
        let scratch = try scratch ?? Scratch()
        var run = PipeRun(
            scanner: FakeScanner(), configuration: try scratch.configuration(configuration), log: quiet, host: "mx",
            productVersion: "1.0")
        let output = try Descriptor.memory(name: "output")
        let object = try ScanObject(bytes: [UInt8](text.utf8), name: "standard input", directory: scratch.path)
        let disposition = try run.process(object, .init(sender: "a@b", recipients: recipients), to: output)
        _ = lseek(output.raw, 0, SEEK_SET)
        return (disposition, String(decoding: try output.readToEnd(), as: UTF8.self))
    }

    private let noMarks = "[pipe]\nav_eml_header_modification = no\n"

    @Test func cleanMailGoesOn() throws {
        let text = "Subject: x\r\n\r\nbody\r\n"
        let (disposition, output) = try run(text, noMarks)
        #expect(disposition == .accept)
        #expect(output == text)
        #expect(try run(text).1.hasPrefix("X-Virus-Scanner: This message was checked by esets"))
    }

    @Test func infectedPartIsRemoved() throws {
        let (disposition, output) = try run(message)
        #expect(disposition == .accept)
        #expect(!output.contains("part Test.Virus"))
        #expect(output.contains("\"x.exe\" was removed by esets"))
        #expect(output.contains("Subject: [clean (deleted)] Offer"))
    }

    @Test(arguments: [("defer", Disposition.defer), ("discard", .discard), ("reject", .reject)])
    func blockedMailWritesNothing(_ action: String, _ expected: Disposition) throws {
        let (disposition, output) = try run(
            message, "[pipe]\naction_av_infected = \"\(action)\"\nav_clean_mode = none\n")
        #expect(disposition == expected)
        #expect(output.isEmpty)
    }

    @Test func spamIsTagged() throws {
        let (disposition, output) = try run(
            "Subject: x\r\n\r\nscore 95\r\n",
            noMarks + "action_as = \"accept\"\nas_eml_subject_template = \"[%asstatus%]\"\n")
        #expect(disposition == .accept)
        #expect(output == "Subject: [SPAM] x\r\n\r\nscore 95\r\n")
    }

    @Test func theStrictestRecipientCounts() throws {
        let settings = noMarks + "user_config = \"users.cfg\"\n"
        #expect(try run(message, settings, recipients: ["any@example.org"]).0 == .accept)
        #expect(try run(message, settings, recipients: ["strict@example.org"]).0 == .discard)
        #expect(try run(message, settings, recipients: ["any@example.org", "strict@example.org"]).0 == .discard)
    }

    @Test func withoutVerdictThereIsNoResult() {
        #expect(throws: PipeRun.Failure.self) { try run("Subject: x\r\n\r\naway\r\n") }
    }

    @Test func originalIsKept() throws {
        let scratch = try Scratch()
        _ = try run(message, "[pipe]\nav_quarantine_enabled = yes\n", scratch: scratch)
        let paths = Paths(root: "\(scratch.path)/root")
        let entry = try #require(try QuarantineStore(directory: paths.quarantineDirectory).list().first)
        #expect(entry.records.first?.size == UInt64(message.utf8.count))
    }

    @Test func whatCannotBeKeptIsDeferred() throws {
        let scratch = try Scratch()
        let paths = Paths(root: "\(scratch.path)/root")
        try Files.makeDirectory(paths.cacheDirectory)
        try Files.replace(paths.quarantineDirectory, with: [])
        let (disposition, output) = try run(message, "[pipe]\nav_quarantine_enabled = yes\n", scratch: scratch)
        #expect(disposition == .defer)
        #expect(output.isEmpty)
    }

    @Test func largeMessagesPassThroughAFile() throws {
        let text = "Subject: x\r\n\r\n" + String(repeating: "0123456789abcdef\r\n", count: 80_000)
        let (disposition, output) = try run(text, noMarks)
        #expect(disposition == .accept)
        #expect(output == text)
    }
}
