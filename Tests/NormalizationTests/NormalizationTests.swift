import BytesE
import Testing

@testable import Normalization

/// Both forms of a document.
private func forms(_ text: String) -> (withoutComments: String, withoutTags: String) {
    forms(Array(text.utf8))
}

private func forms(_ bytes: [UInt8], mostAtOnce: Int = 4096) -> (withoutComments: String, withoutTags: String) {
    let room = NormalizedText.room(for: bytes.count)
    let space = UnsafeMutablePointer<UInt8>.allocate(capacity: 2 * room)
    defer { space.deallocate() }
    return bytes.withUnsafeBufferPointer { buffer in
        var forms = HTMLForms(
            ByteView(buffer), withoutComments: NormalizedText(base: space, capacity: room),
            withoutTags: NormalizedText(base: space + room, capacity: room), mostAtOnce: mostAtOnce)
        #expect(forms.normalize { true })
        return (
            String(decoding: forms.withoutComments.bytes.buffer, as: UTF8.self),
            String(decoding: forms.withoutTags.bytes.buffer, as: UTF8.self)
        )
    }
}

private func plain(_ bytes: [UInt8]) -> [UInt8] {
    let space = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count + 1)
    defer { space.deallocate() }
    var form = NormalizedText(base: space, capacity: bytes.count)
    var afterSpace = false
    bytes.withUnsafeBufferPointer { PlainText.normalize(ByteView($0), afterSpace: &afterSpace, into: &form) }
    #expect(!form.isCut)
    return form.bytes.array
}

@Suite("Forms of HTML")
struct HTMLFormTests {
    struct Case: CustomTestStringConvertible {
        let input, form: String
        var testDescription: String { input }
    }

    /// Expected forms were observed with `sigtool --html-normalise` of ClamAV 1.4.
    @Test(arguments: [
        Case(input: "<HTML>\r\n\t <Body  BGColor=Red>", form: "<html><body bgcolor=red>"),
        Case(input: "a  b\nc", form: "a b c"),
        Case(input: "x <!-- y --> z", form: "x z"),
        Case(input: "x <!-- a > b --> z", form: "x b --> z"),
        Case(input: "<a href='X'>", form: "<a href=\"x\">"),
        Case(input: "<a b = c>", form: "<a b=c>"),
        Case(input: "<a\tb\nc>d", form: "<a b c>d"),
        Case(input: "&lt;&amp;&#65;&#x42;&Mu;&unknown;&x", form: "<&ab&#x039c;&unknown;&x"),
        Case(input: "<script>var  X = 'a b';</script>  y", form: "<script>varx=\"ab\";</script>y"),
        Case(input: "<script>if (a<b) c</script>", form: "<script>if(a<b)c</script>"),
        Case(input: "<img src=\"data:image/png;base64,AA\nBB\" w=1>", form: "<img src=\"data\"w=1>"),
        Case(input: "", form: ""),
        Case(input: "   ", form: ""),
        Case(input: "<", form: "<"),
    ])
    func withoutComments(_ test: Case) {
        #expect(forms(test.input).withoutComments == test.form)
    }

    @Test(arguments: [
        Case(input: "<b>Hello</b>  <i>World</i>", form: " hello world "),
        Case(input: "<a href=\"http://X.example/Y\">Here</a>", form: " http://X.example/Y here "),
        Case(input: "<img src=cid:1>t", form: " cid:1 t"),
        Case(input: "<script>x</script>y", form: " y"),
        Case(input: "a&nbsp;b", form: "a b"),
        Case(input: "<p title=x>y", form: " y"),
    ])
    func withoutTags(_ test: Case) {
        #expect(forms(test.input).withoutTags == test.form)
    }

    @Test func wideTextReadsLikeASCII() {
        let wide = Array("<B>Hi</B>".utf8).flatMap { (byte: UInt8) -> [UInt8] in [byte, 0] }
        #expect(forms(wide).withoutComments == "<b>hi</b>")
    }

    @Test func ideographicFullStops() {
        #expect(forms("www\u{3002}example\u{ff0e}org x").withoutComments == "www.example.org x")
        #expect(forms("<a href=\"www\u{3002}example\">").withoutComments == "<a href=\"www.example\">")
    }

    @Test func namedCharacters() {
        func code(_ name: StaticString) -> UInt16? { CharacterEntities.codePoint(ByteView(name)) }
        #expect(code("AElig") == 0xc6 && code("zwnj") == 0x200c && code("amp") == 0x26 && code("Mu") == 0x39c)
        #expect(code("mu") == 0x3bc && code("micro") == 0xb5 && code("nbsp") == 0xa0)
        #expect(code("AMP") == nil && code("") == nil && code("zzz") == nil && code("AEli") == nil)
    }

    @Test func theCheckEndsIt() {
        let bytes = [UInt8](repeating: 0x41, count: 200_000)
        let room = NormalizedText.room(for: bytes.count)
        let space = UnsafeMutablePointer<UInt8>.allocate(capacity: 2 * room)
        defer { space.deallocate() }
        bytes.withUnsafeBufferPointer { buffer in
            var forms = HTMLForms(
                ByteView(buffer), withoutComments: NormalizedText(base: space, capacity: room),
                withoutTags: NormalizedText(base: space + room, capacity: room))
            var checks = 0
            #expect(
                !forms.normalize {
                    checks += 1
                    return checks < 3
                })
            #expect(checks == 3 && forms.withoutComments.count < 200_000)
        }
    }

    /// Whatever the input, nothing is written behind the room that was given.
    @Test func roomIsRespected() {
        let bytes = Array("<a b=\"c\"d=\"e\">&Mu;&Mu;&Mu; text".utf8)
        for room in 0..<64 {
            let space = UnsafeMutablePointer<UInt8>.allocate(capacity: 2 * room + 2)
            defer { space.deallocate() }
            space.initialize(repeating: 0xee, count: 2 * room + 2)
            bytes.withUnsafeBufferPointer { buffer in
                var forms = HTMLForms(
                    ByteView(buffer), withoutComments: NormalizedText(base: space, capacity: room),
                    withoutTags: NormalizedText(base: space + room + 1, capacity: room))
                _ = forms.normalize { true }
                #expect(forms.withoutComments.count <= room && forms.withoutTags.count <= room)
            }
            #expect(space[room] == 0xee && space[2 * room + 1] == 0xee)
        }
    }

    /// Documents of random pieces of markup: no trap, the promised room is enough.
    @Test func randomMarkup() {
        let pieces = [
            "<", ">", "\"", "'", "&", "&#", ";", " ", "\n", "=", "<a href=", "<img src=\"", "data:", "<!--", "-->",
            "<script>", "</script>", "\\", "\0", "\u{3002}", "&Mu;", "&#300;", ",", "a", "B", "/", "!", "%41",
        ].map { Array($0.utf8) }
        var random = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0..<60, using: &random) { bytes += pieces.randomElement(using: &random) ?? [] }
            bytes.withUnsafeBufferPointer { fuzzNormalization(ByteView($0)) }
        }
    }
}

/// What is copied at once must give what one byte at a time gives.
@Suite("Runs in HTML")
struct HTMLRunTests {
    private struct Steps: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33 ^ state << 31
        }
    }

    @Test(arguments: [UInt64(1), 2, 3, 4])
    func equalsOneAtATime(_ seed: UInt64) {
        let pieces = [
            "<", ">", "\"", "'", "&", "&#", ";", " ", "  ", "\n", "\r", "\t", "=", "<a href=", "<img src=\"", "data:",
            "\"data:",
            "<!--", "-->", "<script>", "</script>", "<style>", "</style>", "\\", "\\\"", "\0", "\u{1}", "\u{3002}",
            "&Mu;", "&#300;",
            ",", "a", "B", "/", "!", "words that Stand ", "longWordWithoutAnySpaceThatIsLongerThanSixteen", "x y z",
            "%41", "\u{7f}",
            "\u{e9}", " title='A b' Alt=CdEfGhIjKlMnOpQrStUvWxYz", "0123456789abcdeF", "@[`{~",
        ].map { Array($0.utf8) }
        var random = Steps(state: seed)
        for _ in 0..<500 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0..<80, using: &random) { bytes += pieces.randomElement(using: &random) ?? [] }
            let expected = forms(bytes, mostAtOnce: 0)
            for most in [1, 7, 16, 17, 33, 4096] { #expect(forms(bytes, mostAtOnce: most) == expected) }
        }
    }

    @Test("a name longer than is looked at is kept in its form")
    func longNames() {
        let long = String(repeating: "Ab", count: 2_000)
        let page = "<a \(long)=x href=\"http://\(long)\">text</a><p title='\(long)'>"
        let expected = forms(Array(page.utf8), mostAtOnce: 0)
        #expect(forms(Array(page.utf8)) == expected)
        #expect(expected.withoutComments.contains(long.lowercased()))
    }
}

@Suite("Forms of text")
struct PlainTextTests {
    @Test func rules() {
        #expect(plain(Array("Hello,\r\n\t World!\u{b}\u{c}~\u{7f}".utf8)) == Array("hello, world! ~\u{7f}".utf8))
        #expect(plain([0, 1, 0x41, 0xc3, 0xa9, 0x42, 0x20, 0x00, 0x20, 0x43, 0xff]) == Array("ab c".utf8))
        #expect(plain([]) == [])
    }

    /// Sixteen bytes at a time must give what one at a time gives.
    @Test func longTexts() {
        let alphabet = Array("aZ \n\tb~@[`{".utf8) + [0x00, 0x1f, 0x7f, 0x80, 0xff]
        var state: UInt32 = 7
        for round in 0..<400 {
            // Rare marks in words in some rounds, many in others.
            let text = (0..<(round % 97)).map { _ -> UInt8 in
                state = state &* 1_664_525 &+ 1_013_904_223
                let choice = Int(state >> 16)
                return choice % (1 + round % 23) == 0 ? alphabet[choice % alphabet.count] : 0x41 + UInt8(choice % 26)
            }
            var expected: [UInt8] = []
            for byte in text {
                if (0x21...0x7f).contains(byte) {
                    expected.append((0x41...0x5a).contains(byte) ? byte + 0x20 : byte)
                } else if byte == 0x20 || (0x09...0x0d).contains(byte), expected.last != 0x20 {
                    expected.append(0x20)
                }
            }
            #expect(plain(text) == expected)
        }
    }

    @Test func whatIsNormalStays() {
        for text in ["hello world", "", "a b c 123 ~", " x"] {
            let bytes = Array(text.utf8)
            #expect(bytes.withUnsafeBufferPointer { PlainText.isNormal(ByteView($0)) })
            #expect(plain(bytes) == bytes)
        }
        for text in ["Hello", "a  b", "a\n", "\u{e9}", "\u{1}"] {
            #expect(!Array(text.utf8).withUnsafeBufferPointer { PlainText.isNormal(ByteView($0)) })
        }
    }
}
