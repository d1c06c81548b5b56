import Testing

@testable import Programs

private let program = Program(
    "esets_test", "Does nothing.", usage: "[OPTIONS..] FILES..",
    options: [
        ProgramOption("subdir", .toggle, help: "look into directories"),
        ProgramOption("exclude", .value("MASK"), short: "x", help: "leave files out"),
        ProgramOption("list", .optionalValue("WHAT"), help: "show things"),
        ProgramOption("force", help: "do it anyway"),
        ProgramOption("ads", help: "accepted", isHidden: true),
    ], operands: 1...2)

@Suite struct ParseTests {
    @Test func bothSpellingsOfAValueAndTheirOrder() throws {
        let arguments = try program.parse(["--exclude=a=b", "file", "--exclude", "--x", "-xc", "-x", "d"])
        #expect(arguments.values("exclude") == ["a=b", "--x", "c", "d"])
        #expect(arguments.value("exclude") == "d")
        #expect(arguments.operands == ["file"])
    }

    @Test func theLastToggleCounts() throws {
        #expect(try program.parse([]).toggle("subdir") == nil)
        #expect(try program.parse(["--subdir", "--no-subdir"]).toggle("subdir") == false)
        #expect(try program.parse(["--no-subdir", "--subdir"]).has("subdir"))
    }

    @Test func anOptionalValueNeedsTheEqualsSign() throws {
        let arguments = try program.parse(["--list", "file"])
        #expect(arguments.has("list"))
        #expect(arguments.value("list") == nil)
        #expect(arguments.operands == ["file"])
        #expect(try program.parse(["--list=x"]).value("list") == "x")
    }

    @Test func twoDashesEndTheOptionsAndOneDashIsAnOperand() throws {
        #expect(try program.parse(["-", "--", "--force"]).operands == ["-", "--force"])
    }

    @Test(arguments: [
        (["--forse"], "unknown option --forse; did you mean --force?"),
        (["--excl=1"], "unknown option --excl; did you mean --exclude?"),
        (["--no-force"], "unknown option --no-force"),
        (["--force=1"], "option --force takes no value"),
        (["--no-subdir=1"], "unknown option --no-subdir"),
        (["--exclude"], "option --exclude needs a value: --exclude=MASK"),
        (["-q"], "unknown option -q"),
        (["-hv"], "unknown option -hv"),
    ])
    func usageErrorsSayWhatIsWrong(_ arguments: [String], _ message: String) {
        #expect(throws: UsageError(message)) { try program.parse(arguments) }
    }

    @Test func operandsAreCounted() throws {
        #expect(throws: UsageError("an argument is missing: esets_test [OPTIONS..] FILES..")) {
            try program.checkOperands(program.parse([]))
        }
        #expect(throws: UsageError("unexpected argument \"c\"")) {
            try program.checkOperands(program.parse(["a", "b", "c"]))
        }
    }

    @Test func numbersAndChoicesAreChecked() throws {
        #expect(try program.parse(["--exclude=7"]).number("exclude", in: 1...7) == 7)
        #expect(throws: UsageError("--exclude must be a number from 1 to 6, not \"7\"")) {
            try program.parse(["--exclude=7"]).number("exclude", in: 1...6)
        }
        #expect(throws: UsageError("--exclude must be a, b, not \"c\"")) {
            try program.parse(["--exclude=c"]).choice("exclude", ["a", "b"])
        }
    }

    @Test func rootAndConfigurationFileAreAbsolute() throws {
        let arguments = try program.parse(["--root=/r", "--cfg", "/c/esets.cfg"])
        #expect(arguments.root == "/r")
        #expect(arguments.configurationFile == "/c/esets.cfg")
        #expect(try program.parse(["--root=/"]).root == nil)
        #expect(try program.parse(["--root=x"]).root?.hasSuffix("/x") == true)
        #expect(try program.parse(["--root=x"]).root?.hasPrefix("/") == true)
    }
}

@Suite struct HelpTests {
    @Test func helpShowsEveryOptionButHiddenOnes() {
        let help = program.help
        #expect(help.hasPrefix("Usage: esets_test [OPTIONS..] FILES..\nDoes nothing.\n"))
        #expect(help.contains("  --[no-]subdir       look into directories\n"))
        #expect(help.contains("  -x, --exclude=MASK  leave files out\n"))
        #expect(help.contains("-h, --help"))
        #expect(help.contains("--cfg=FILE"))
        #expect(!help.contains("--ads"))
    }

    @Test func theLastWordOfTheVersionLineIsTheVersion() {
        #expect(program.versionLine.split(separator: " ").last.map(String.init) == Product.version)
    }

    @Test func progressIsAPercentage() {
        #expect(ProgressLine.text("Work", 1, 3) == "Work 1 of 3 (33 %)")
        #expect(ProgressLine.text("Work", 5, nil) == "Work 5")
        #expect(ProgressLine.text("Work", .max, .max) == "Work \(Int.max) of \(Int.max) (100 %)")
    }
}
