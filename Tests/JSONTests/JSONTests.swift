import Testing

@testable import JSON

@Suite struct JSONWriterTests {
    @Test func compactHasSortedNamesAndNoBlanks() {
        let value: JSONValue = ["b": [1, 2.5, true, nil], "a": "x\"\\\n\u{1}é"]
        #expect(value.text() == #"{"a":"x\"\\\n\u0001é","b":[1,2.5,true,null]}"#)
    }

    @Test func prettyIndentsAndKeepsEmptyContainersShort() {
        let value: JSONValue = ["a": [1, [:]], "b": []]
        #expect(value.text(.pretty) == "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}")
    }

    @Test func whatIsNoNumberBecomesNull() {
        #expect(JSONValue.number(.nan).text() == "null")
        #expect(JSONValue.number(-.infinity).text() == "null")
    }
}

@Suite struct JSONParserTests {
    @Test(arguments: [
        "null", "true", "[]", "{}", "[1,-2,0.5,1e+30]", #"{"a":{"b":["x",null]}}"#, "9223372036854775807",
        #""😀\u0000""#,
    ])
    func whatIsWrittenIsReadBack(_ text: String) throws {
        let value = try JSONValue(parsing: text)
        #expect(try JSONValue(parsing: value.bytes()) == value)
        #expect(try JSONValue(parsing: value.bytes(.pretty)) == value)
    }

    @Test func escapesAndSurrogatesAreDecoded() throws {
        #expect(try JSONValue(parsing: #" "\u00e9\ud83d\ude00\/\b" "#) == .string("é😀/\u{8}"))
    }

    @Test func integersKeepAllTheirDigits() throws {
        #expect(try JSONValue(parsing: "-9223372036854775808").integer == .min)
        #expect(try JSONValue(parsing: "9223372036854775808").number == 9_223_372_036_854_775_808)
        #expect(try JSONValue(parsing: "9223372036854775808").integer == nil)
    }

    @Test(arguments: [
        "", " ", "[", "{", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "01",
        "-", "1.", ".5", "1e", "+1", "tru", "nulll", "\"", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"",
        "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\u{1}\"", "1 1", "[1]]", "1e999", "\u{FEFF}1",
    ])
    func wrongTextsAreRefused(_ text: String) {
        #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
    }

    @Test func aNameTwiceIsRefused() {
        #expect(throws: JSONError(message: "a name occurs twice", offset: 7)) {
            try JSONValue(parsing: #"{"a":1,"a":2}"#)
        }
    }

    @Test func invalidUTF8IsRefused() {
        #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22, 0xC3, 0x28, 0x22]) }
    }

    @Test func limitsEndEveryText() throws {
        let deep = [UInt8](repeating: UInt8(ascii: "["), count: 100_000)
        #expect(throws: JSONError(message: "nested deeper than 64 levels", offset: 65)) {
            try JSONValue(parsing: deep)
        }
        #expect(throws: JSONError.self) { try JSONValue(parsing: "[1,2,3]", limits: .init(values: 3)) }
        #expect(throws: JSONError.self) { try JSONValue(parsing: "[1,2,3]", limits: .init(size: 6)) }
        #expect(try JSONValue(parsing: "[1,2,3]", limits: .init(depth: 1, size: 7, values: 4))[2] == 3)
    }

    /// Every prefix and every single changed byte of a text either parses or throws; nothing traps.
    @Test func damagedTextsNeverTrap() {
        let text = Array(#"{"a":[1,-2.5e3,"\u00e9\ud83d\ude00",true,null],"b":{}}"#.utf8)
        for index in text.indices {
            _ = try? JSONValue(parsing: Array(text[..<index]))
            for byte in [0, 0x22, 0x2C, 0x5C, 0x5D, 0x75, 0xFF] as [UInt8] {
                var damaged = text
                damaged[index] = byte
                _ = try? JSONValue(parsing: damaged)
            }
        }
    }
}
