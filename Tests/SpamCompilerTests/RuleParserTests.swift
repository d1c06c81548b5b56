import CModuleABI
import Platform
import SpamCompiler
import Testing
import Tokens

private func parse(_ text: String) throws(SpamCompilerError) -> [SpamRule] {
    var parser = RuleParser()
    try parser.add(file: "a.rules", text: text)
    return parser.rules
}

@Suite struct RuleParserTests {
    @Test func aRuleWithAllItsParts() throws {
        let rules = try parse(
            """
            # comment
            rule __A
              silent
              when header X-Mailer present
            rule B  # another
              describe "say \\"so\\""
              points -2.5
              when not subject begins "Re:" "Aw:"
              when rules at-least 1 __A
              when bayes at-most 0.25
              when body contains "Buy   NOW"
              when subject capitals 90
            """)
        #expect(rules.count == 2)
        #expect(rules[0].isSilent)
        #expect(rules[1].description == "say \"so\"")
        #expect(rules[1].points == -2500)
        #expect(rules[1].line == 5)
        let predicates = rules[1].predicates
        #expect(predicates[0].isNegated && predicates[0].operation == EM_ANTISPAM_BEGINS)
        #expect(predicates[0].texts == [Array("Re:".utf8), Array("Aw:".utf8)])
        #expect(predicates[1].rules == [0])
        #expect(predicates[2].number == 250_000)
        #expect(predicates[3].texts == [Array("buy now".utf8)])
        #expect(predicates[4].number == 900)
    }

    @Test(arguments: [
        ("points 3", "a.rules:1: \"points\" stands before the first rule"),
        ("rule A\npoints 1", "a.rules:1: the rule A has no condition"),
        ("rule A\nwhen subject present", "a.rules:1: the rule A has no points"),
        ("rule A\npoints 1\nwhen subject present\nrule A", "a.rules:4: the rule A is in a.rules:1 already"),
        ("rule A\npoints x", "a.rules:2: the points: \"x\" is no number"),
        ("rule A\n\nwhen subjekt present", "a.rules:3: \"subjekt\" is unknown"),
        ("rule A\nwhen subject contains x", "a.rules:2: the text to compare with is missing"),
        ("rule A\nwhen subject contains \"x", "a.rules:2: the text has no closing"),
        ("rule A\nwhen fact linkz at-least 1", "a.rules:2: the fact \"linkz\" is unknown"),
        ("rule A\nwhen rules B", "a.rules:2: there is no rule B before this one"),
        ("rule A\nwhen body contains \"abc\"", "a.rules:2: a text for body needs at least 4 bytes"),
        ("rule A\nwhen subject present now", "a.rules:2: there is more on the line"),
        ("rule A\nwhen from repeated", "a.rules:2: only header fields can be repeated"),
        ("rule A-B", "a.rules:1: a rule's name has letters"),
    ])
    func errorsSayWhere(text: String, beginning: String) {
        #expect { try parse(text) } throws: { error in "\(error)".hasPrefix(beginning) }
    }

    @Test func theShippedRulesCompile() throws {
        var sources = AntispamSources()
        try sources.add(directory: "\(root)/modules/antispam")
        #expect(sources.rules.count > 50)
        #expect(sources.statistics.learned.spam >= 20)
        #expect(sources.statistics.learned.ham >= 20)
        #expect(sources.rules.allSatisfy { $0.isSilent || !$0.description.isEmpty })
        // No single rule decides alone.
        #expect(sources.rules.allSatisfy { ($0.points ?? 0) < 90_000 })
    }

    @Test("messages of a source are learned as what their folder says") func training() throws {
        let folder = "\(root)/modules/antispam/training"
        var sources = AntispamSources()
        for kind in ["spam", "ham"] {
            for name in try Files.names(in: "\(folder)/\(kind)") {
                try sources.add(file: "\(folder)/\(kind)/\(name)", as: "list/training/\(kind)/\(name)")
            }
        }
        var whole = AntispamSources()
        try whole.add(directory: "\(root)/modules/antispam")
        #expect(sources.statistics == whole.statistics)
        #expect(sources.unused.isEmpty)
        // Elsewhere nobody says what they are.
        let message = try #require(try Files.names(in: "\(folder)/spam").first)
        try sources.add(file: "\(folder)/spam/\(message)", as: "list/spam/\(message)")
        #expect(sources.statistics == whole.statistics)
        #expect(sources.unused.count == 1)
    }
}

/// The folder of Package.swift.
let root = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }
