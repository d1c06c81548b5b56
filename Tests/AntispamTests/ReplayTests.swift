import Antispam
import BytesE
import FuzzCorpus
import SpamCompiler
import Testing
import TokensE

/// The seeds of the fuzzer and what it reached, whole and cut, through the code that it runs.
@Suite("Replay") struct ReplayTests {
    @Test("every file of the corpus and its beginnings", arguments: ["antispam", "reached/antispam"])
    func corpus(_ name: String) throws {
        try FuzzCorpus.replay(name, every: 509) { fuzzAntispam(ByteView($0)) }
    }

    /// `ESETS_WRITE_SEEDS=1` writes the seeds anew, which a new format needs. Behind the database stands a message.
    @Test("the seeds are databases, and judge their message") func seeds() throws {
        var statistics = TokenStatistics()
        statistics.add([1, 2, 3], as: .spam)
        statistics.add([3, 4], as: .ham)
        let sources = [
            "facts": "rule A\n  points 1\n  when fact recipients at-least 1\n  when not bayes at-least 0.5\n",
            "text":
                "rule A\n  points 2\n  when subject begins \"cheap\"\n  when body contains \"pills\" \"order cheap\"\n",
            "rules": "rule A\n  points 1\n  when from ends \"@b.example\"\nrule B\n  points -1\n"
                + "  when rules at-least 1 A\n  when not header X-Missing present\n",
        ]
        let message = Array("Subject: cheap\nFrom: A <a@b.example>\nTo: c@d.example\n\norder cheap pills\n".utf8)
        for (name, rules) in sources {
            let bytes = try database(rules, statistics)
            #expect(try bytes.withUnsafeBufferPointer { try AntispamDatabase(ByteView($0)).ruleCount } > 0, "\(name)")
            try FuzzCorpus.write([(name, bytes + message)], to: "antispam")
        }
    }
}
