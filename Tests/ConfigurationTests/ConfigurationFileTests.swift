import Testing

@testable import Configuration

@Suite struct ParseTests {
    @Test(arguments: [
        "", "\n", "a", "a = 1", "# c\r\n[x]\r\na = 1\r\n", "\u{FEFF}[global]\n", "a=1\r\nb=2\nc=3",
        "\u{0}\u{1}\n\r\n\r",
        "  [ smtp ] # c\n\tnum_proc=2 ; d\n",
    ])
    func everyByteIsKept(_ text: String) {
        #expect(file(text).bytes == Array(text.utf8))
    }

    @Test(arguments: [
        ("a = 1", "1"), ("a=1", "1"), ("  a  =  x y  ", "x y"), ("a = \"x\"", "x"), ("a = \"x\";", "x"),
        ("a = \"x # y\" # z", "x # y"), ("a = x # y", "x"), ("a = x ; y", "x"), ("a = x#y;z", "x#y;z"),
        ("a =", ""), ("a = # none", ""), ("a = \"\"", ""), ("a = \"x\\\"y\"", "x\"y"),
        ("a = \"x\\;\\\\y\\n\"", "x\\;\\\\y\\n"),
        ("a = b = c", "b = c"),
    ])
    func values(_ line: String, _ expected: String) {
        #expect(file(line).lines[0].content == .parameter(name: "a", value: expected))
    }

    @Test(arguments: [
        ("# text", ConfigurationFile.Content.comment), ("; text", .comment), ("   ", .blank),
        ("#a = 1", .commentedParameter(name: "a")), ("# write a b = 1", .comment), ("[x y]", .header("x y")),
        ("[|a@b] # c", .header("|a@b")), ("[]", .malformed("the section has no name")),
        ("[x", .malformed("\"]\" is missing")), ("[x] y", .malformed("only a comment may follow \"]\"")),
        ("nothing", .malformed("neither \"name = value\" nor \"[section]\"")),
        ("a b = 1", .malformed("the name of a parameter has only letters, digits and \"_\"")),
        ("a = \"x", .malformed("the closing quote is missing")),
        ("a = \"x\" y", .malformed("only a comment may follow the closing quote")),
        ("a = x\u{1}", .malformed("the line has a control character")),
    ])
    func lines(_ line: String, _ expected: ConfigurationFile.Content) {
        #expect(file(line).lines[0].content == expected)
    }

    @Test func bytesThatAreNoTextAreReportedOnlyOutsideComments() {
        let broken = ConfigurationFile(parsing: Array("# \u{FF}".utf8) + [0xC3, 0x28, 0x0A, 0x61, 0x3D, 0xC3, 0x28])
        #expect(broken.lines.map(\.content) == [.comment, .malformed("the line is not valid UTF-8")])
    }
}

@Suite struct EditTests {
    private let text =
        "# head\r\n\r\n[global]\r\n  num_proc = 2   # two\r\n#num_thrd = 0\r\n\r\n# about smtp\r\n[smtp]\r\nlisten_addr = \"a\"; \r\n"

    private func edited(_ text: String, _ change: (inout ConfigurationFile) throws -> Void) rethrows -> String {
        var copy = file(text)
        try change(&copy)
        return String(decoding: copy.bytes, as: UTF8.self)
    }

    @Test func aValueChangesInPlace() throws {
        let result = try edited(text) {
            try $0.set("num_proc", to: "12", in: "global", quoted: false)
            try $0.set("listen_addr", to: "b # \" c", in: "smtp", quoted: true)
        }
        #expect(
            result
                == "# head\r\n\r\n[global]\r\n  num_proc = 12   # two\r\n#num_thrd = 0\r\n\r\n# about smtp\r\n[smtp]\r\nlisten_addr = \"b # \\\" c\"; \r\n"
        )
    }

    @Test func aNewValueFollowsItsCommentedDefaultOrEndsTheSection() throws {
        let result = try edited(text) {
            try $0.set("num_thrd", to: "4", in: "global", quoted: false)
            try $0.set("tmp_dir", to: "/t", in: "global", quoted: true)
        }
        #expect(result.contains("#num_thrd = 0\r\nnum_thrd = 4\r\ntmp_dir = \"/t\"\r\n\r\n# about smtp\r\n[smtp]"))
    }

    @Test func aFileWithoutAFinalLineEndStaysWhole() throws {
        #expect(
            try edited("[smtp]") { try $0.set("num_proc", to: "4", in: "smtp", quoted: false) }
                == "[smtp]\nnum_proc = 4\n")
        #expect(
            try edited("num_proc =") { try $0.set("num_proc", to: "4", in: "global", quoted: false) } == "num_proc = 4")
        #expect(
            try edited("num_proc = # c") { try $0.set("num_proc", to: "4", in: "global", quoted: false) }
                == "num_proc = 4 # c")
    }

    @Test func anAliasIsTheSameParameter() throws {
        let old = "scan_obj_sfx = yes\n"
        #expect(
            try edited(old) { try $0.set("av_scan_obj_sfx", to: "no", in: "global", quoted: false) }
                == "scan_obj_sfx = no\n")
        #expect(edited(old) { $0.unset("av_scan_obj_sfx", in: "global") } == "")
    }

    @Test(arguments: ["a\nb", "a\\", "a\u{1}", "\\\""])
    func whatCannotBeWrittenIsRefused(_ value: String) {
        #expect(throws: ConfigurationEditError.self) {
            try edited(text) { try $0.set("tmp_dir", to: value, in: "global", quoted: true) }
        }
    }

    @Test func sectionsAreMadeMovedAndRemovedWithTheirComments() throws {
        let users = "[a@b]\nx = 1\n\n# about c\n[c@d]\ny = 2\n"
        #expect(try edited(users) { try $0.moveLast("a@b") } == "# about c\n[c@d]\ny = 2\n\n[a@b]\nx = 1\n")
        #expect(try edited(users) { try $0.deleteSection("a@b") } == "# about c\n[c@d]\ny = 2\n")
        #expect(try edited(users) { try $0.createSection("|e@f") } == users + "\n[|e@f]\n")
        #expect(throws: ConfigurationEditError.self) { try edited(users) { try $0.createSection("c@d") } }
        #expect(throws: ConfigurationEditError.self) { try edited(users) { try $0.createSection("c]") } }
        #expect(throws: ConfigurationEditError.self) { try edited(users) { try $0.deleteSection("x@y") } }
    }

    /// Whatever the file, an edit that succeeds can be read back and changes no other value.
    @Test func editsSurviveStrangeFiles() throws {
        let pieces = [
            "[smtp]", "[global]", "num_proc = 1 # x", "#num_proc = 9", "\r", "\"", "num_proc =\"1\";", "a", "= 2", "",
            "[smtp",
        ]
        var state: UInt64 = 42
        for _ in 0..<2_000 {
            var text = ""
            for _ in 0..<5 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                text += pieces[Int(state >> 33) % pieces.count] + (state >> 40 & 3 == 0 ? "" : "\n")
            }
            var copy = file(text)
            guard copy.hasSection("smtp") else { continue }
            let others = copy.blocks.flatMap(\.entries).filter { $0.name != "num_proc" }.map(\.value)
            try copy.set("num_proc", to: "7", in: "smtp", quoted: false)
            let again = ConfigurationFile(parsing: copy.bytes)
            #expect(again.value(of: "num_proc", in: "smtp")?.value == "7", "\(text.debugDescription)")
            #expect(again.lines.map(\.content) == copy.lines.map(\.content), "\(text.debugDescription)")
            #expect(again.blocks.flatMap(\.entries).filter { $0.name != "num_proc" }.map(\.value) == others)
        }
    }
}

@Suite struct DamageTests {
    /// Texts with any byte changed or cut anywhere are checked without a trap.
    @Test func damagedFilesNeverTrap() {
        let main = Array("[smtp]\nlisten_port = 25\nuser_config = \"u\"\nas_approved_ip_list = \"::1/64\"\n".utf8)
        let users = Array("[a@b|c@d|1.2.3.0/24]\nparent_id = \"g\"\n[g]\naction_av = \"scan\"\n".utf8)
        #expect(Configuration.check(main.filter { $0 != 0 }, userBytes: users).count == 1)
        for index in users.indices {
            _ = Configuration.check(main, userBytes: Array(users[..<index]))
            for byte in [0, 0x0A, 0x22, 0x2F, 0x3A, 0x5B, 0x5D, 0x7C, 0xFF] as [UInt8] {
                var damaged = users
                damaged[index] = byte
                _ = Configuration.check(main, userBytes: damaged)
            }
        }
        for index in main.indices {
            for byte in [0, 0x0A, 0x22, 0x3B, 0x3D, 0x5B, 0xFF] as [UInt8] {
                var damaged = main
                damaged[index] = byte
                _ = Configuration.check(damaged, userBytes: users)
            }
        }
    }
}
