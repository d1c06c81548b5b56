import Testing

@testable import YARA

@Suite struct ParserTests {
    private func check(_ text: String) -> (rules: [CheckedRule], errors: [YARAError]) {
        Checker.check(RuleFile(Array(text.utf8), name: "t.yar"))
    }

    @Test func readsWholeRules() throws {
        let text = """
            import "pe"
            // a comment
            private global rule One : tag1 tag2 {
              meta:
                a = "x" b = -3 c = true
              strings:
                $a = "te\\x41\\t\\"" nocase wide ascii private
                $b = { 4D 5A ?? [2-4] (41 | 4? 43) ~00 [-] 33 } /* jump */
                $ = /ab+[^\\d]\\/x/is fullword
                $x = "abc" xor(1-5) $y = "abcd" base64
              condition:
                2 of them and for any s in pe.sections : (s.name == ".text" and s.raw_data_size > 1KB)
            }
            rule Two { condition: One and filename matches /\\.exe$/i and not defined uint16be(0x10) }
            """
        let result = check(text)
        #expect(result.errors == [])
        let rule = try #require(result.rules.first)
        #expect(rule.isPrivate && rule.isGlobal && rule.tags == ["tag1", "tag2"])
        #expect(rule.strings.count == 5)
        #expect(rule.strings[3].modifiers.xor == 1...5)
        #expect(rule.meta.map(\.value) == [.text([0x78]), .integer(-3), .boolean(true)])
        #expect(rule.variables == 1)
        #expect(result.rules.count == 2)
    }

    @Test(arguments: [
        ("rule a { condition: $x }", "1:21", "a string that the rule does not define"),
        ("rule a { strings: $x = \"a\" condition: true }", "1:19", "a string that the condition does not use"),
        ("rule a { condition: 1 + \"x\" == 2 }", "1:21", "operands of types that do not fit the operator"),
        ("rule a { condition: nothing }", "1:21", "an unknown name: nothing"),
        ("rule a { strings: $x = { 4 } condition: $x }", "1:26", "hex string: half a byte at the end"),
        ("rule a { strings: $x = /a(/ condition: $x }", "1:27", "regular expression: a bracket that is not closed"),
        ("rule a { condition: true \n rule b { condition: true }", "2:2", "an operator or } is missing"),
        ("import \"pe\" rule a { condition: pe.nothing == 1 }", "1:33", "an unknown field: pe.nothing"),
        ("rule a { strings: $a = \"x\" $a = \"y\" condition: $a }", "1:28", "a string defined twice"),
        ("rule a { condition: 1 \\ 0 == 1 }", "1:25", "a division by zero"),
        ("include \"other.yar\"", "1:1", "an include of a file outside of the sources"),
        ("rule a { strings: $a = \"x", "1:24", "a text without end"),
    ])
    func saysWhereAndWhat(_ text: String, _ place: String, _ reason: String) {
        #expect(check(text).errors.first?.description == "t.yar:\(place): \(reason)")
    }

    @Test func goesOnBehindAnError() {
        let text = """
            rule a { condition: ??? }
            rule b { condition: true }
            rule c { strings: $a = "\\q" condition: $a }
            private rule d { condition: b }
            rule e { strings: $a = { 41 [2 } condition: $a }
            rule f { condition: d }
            """
        let result = check(text)
        #expect(result.rules.map(\.name) == ["b", "d", "f"])
        #expect(result.errors.count == 3)
    }

    @Test func includesOnlyWhatItIsGiven() {
        let file = RuleFile(Array("include \"b\" rule c { condition: b }".utf8), name: "a") { name in
            name == "b" ? Array("rule b { condition: true } include \"a\"".utf8) : nil
        }
        let result = Checker.check(file)
        #expect(result.rules.map(\.name) == ["b", "c"])
        #expect(result.errors == [])
    }

    @Test func boundsNesting() {
        let deep =
            "rule a { condition: " + String(repeating: "(", count: 5000) + "1" + String(repeating: ")", count: 5000)
            + " }"
        #expect(check(deep).errors.first?.kind == .unsupported)
        let not = "rule a { condition: " + String(repeating: "not ", count: 5000) + "1 }"
        #expect(check(not).errors.first?.kind == .unsupported)
    }
}
