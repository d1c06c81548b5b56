import Bytes
import CModuleABI
import CPCRE2
import Testing

@testable import SignatureCompiler

@Suite("Outlines of regular expressions")
struct ExpressionTests {
    private func read(_ expression: String, ignoresCase: Bool = false) -> ExpressionOutline? {
        Array(expression.utf8).withUnsafeBufferPointer { ExpressionOutline(ByteView($0), ignoresCase: ignoresCase) }
    }

    @Test(
        "bytes that every match has",
        arguments: [
            ("abc", "abc"), ("a\\.b", "a.b"), ("(x)abc", "xabc"), ("ab?cd", "cd"), ("abc*d", "ab"), ("a|b", ""),
            ("[abc]de", "de"), ("[]a]bc", "bc"), ("\\w+xyz", "xyz"), (".+", ""), ("ab{2}cde", "bcde"), ("(a|b)", ""),
            ("((x)y)zz", "xyzz"), ("(ab)+c", "ab"), ("(ab){2}cd", "ab"), ("(ab){0,1}c", "c"), ("ab(?=xyz)c", "abc"),
            ("abc\\b.\\Bde", "abc"), ("\\x41bcd", "Abcd"), ("ab\\tc", "ab\tc"), ("(?i)abc", "abc"),
            ("(?:x)abc", "xabc"),
            ("(?i:ab)c", "abc"), ("(?<name>ab)c", "abc"), ("(?P<n>ab)c", "abc"), ("(?'n'ab)c", "abc"),
            ("a{1,b}", "a{1,b}"),
            ("a{b}", "a{b}"), ("a{2,", "a{2,"), ("(?>ab|c)def", "def"), ("x++yz", "xyz"), ("a\\Rbc", "bc"),
        ])
    func literals(_ expression: String, _ literal: String) throws {
        #expect(String(decoding: try #require(read(expression)).literal, as: UTF8.self) == literal)
    }

    @Test(
        "what is not understood is not guessed",
        arguments: [
            "abc\\", "[abc", "ab\\101cde", "(a)\\1", "\\Qa.b\\Ecde", "(?x)a b c", "(*ACCEPT)abc", "ab\\k<n>cde",
            "\\xZZabc",
            "\\x{41}bc", "[[:alpha:]]bcd", "ab(?R)c", "(?(1)a|b)c", "a\\Kbcd", "\\Gabcd", "\\p{L}abc", "a{,3}bcd",
            "\\cAbcd",
            "(abc", "abc)", "*abc", "\\Xabc", "\\N{U+41}", "(?&n)abc", "abcd(?#x)?efg", "(?<*x>abcd)ijk", "a{0 }bcdef",
            "a{0, 5}bcd", String(repeating: "(", count: 100),
        ])
    func unknown(_ expression: String) { #expect(read(expression) == nil) }

    private func makeSieve(_ expression: String, ignoresCase: Bool = false) -> ExpressionSieve? {
        read(expression, ignoresCase: ignoresCase).flatMap { ExpressionSieve($0) }
    }

    /// Whether four bytes pass: see em_pattern_index.
    private func passes(_ bytes: ArraySlice<UInt8>, _ sieve: ExpressionSieve) -> Bool {
        var groups: UInt64 = 0xffff
        for (place, byte) in bytes.prefix(4).enumerated() {
            var word: UInt64 = 0
            for i in 0..<8 { word |= UInt64(sieve.bytes[8 * Int(byte) + i]) << UInt64(8 * i) }
            groups &= word >> UInt64(16 * place)
        }
        return groups & 0xffff != 0
    }

    @Test(
        "places that pass",
        arguments: [
            ("abcd", "abcd", "abcx"), ("(exe|scr)\\.x", "scr.", "ecr."), ("[ab][cd]ef", "bdef", "baef"),
            ("a\\d{2,5}b", "a123", "a1b2"), ("\\b(x|yy)z{3}", "xzzz", "xyzz"), ("a(?!b)(?:bc)?def", "abcd", "abxd"),
            ("a.?bcd", "axbc", "axxb"), ("a[^b]cd", "axcd", "abcd"),
        ])
    func examples(_ expression: String, _ passing: String, _ other: String) throws {
        let sieve = try #require(makeSieve(expression))
        #expect(passes(Array(passing.utf8)[...], sieve))
        #expect(!passes(Array(other.utf8)[...], sieve))
        #expect(sieve.bytes.count == Int(EM_SIEVE_SIZE))
    }

    @Test func letters() throws {
        let folded = try #require(makeSieve("abcd", ignoresCase: true))
        let plain = try #require(makeSieve("abcd"))
        #expect(passes(Array("aBcD".utf8)[...], folded) && !passes(Array("aBcD".utf8)[...], plain))
        let inside = try #require(makeSieve("a(?i)bcd"))
        #expect(passes(Array("aBcD".utf8)[...], inside))
    }

    @Test(
        "no sieve where it is worth nothing",
        arguments: ["abc", "abc|defgh", "...e", "a*", "....", "\\w{4}", "[^a]{9}", "(a|b|)cde|f", "ab?c?d"])
    func worthless(_ expression: String) { #expect(makeSieve(expression)?.bytes.count == nil) }

    @Test("repetitions in repetitions end")
    func nested() {
        let open = String(repeating: "(", count: 60)
        let close = String(repeating: ")+", count: 60)
        #expect(read(open + "abcd" + close).map { ExpressionSieve($0) == nil } == true)
        #expect(read(open + "abcd" + close)?.literal == Array("abcd".utf8))
    }

    @Test("the same expression gives the same sieve")
    func reproducible() {
        let expression =
            "(?:r(?!egs)|&#(?:114|82)\\;)(?:[\"']*\\s*&amp\\;\\s*[\"'])*?(?:&#(?:101|69)\\;|e)(?:g|&#103)(?:s|t)"
        #expect(makeSieve(expression) != nil)
        for _ in 0..<10 { #expect(makeSieve(expression) == makeSieve(expression)) }
    }

    // MARK: - Random expressions

    private struct Maker {
        var random: SplitMix

        mutating func expression(_ depth: Int = 0) -> String {
            var text = ""
            for _ in 0...Int.random(in: 0...3, using: &random) {
                text += piece(depth)
                switch Int.random(in: 0...11, using: &random) {
                case 0: text += "?"
                case 1: text += "*"
                case 2: text += "+?"
                case 3: text += "{1,2}"
                case 4: text += "{2}"
                default: break
                }
            }
            return text
        }

        private mutating func piece(_ depth: Int) -> String {
            let plain = [
                "a", "b", "B", "1", "\\.", "[ab]", "[^a]", "[\\db-]", "\\d", "\\W", ".", "\\x42", "ab", "(?:ba)",
            ]
            guard depth < 3 else { return plain.randomElement(using: &random) ?? "a" }
            switch Int.random(in: 0...11, using: &random) {
            case 0: return "(" + expression(depth + 1) + "|" + expression(depth + 1) + ")"
            case 1: return "(?:" + expression(depth + 1) + ")"
            case 2: return "(?!" + expression(depth + 1) + ")(?:a|b)"
            case 3: return "(?i:" + expression(depth + 1) + ")"
            case 4: return "(?:\\b|)" + expression(depth + 1)
            default: return plain.randomElement(using: &random) ?? "a"
            }
        }

        mutating func text() -> [UInt8] {
            let letters = Array("aabbAB11. \n-".utf8)
            return (0..<60).map { _ in letters.randomElement(using: &random) ?? 0 }
        }
    }

    private struct SplitMix: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
            return z ^ z >> 31
        }
    }

    @Test("no match begins at a place that does not pass, and each has the literal")
    func oracle() throws {
        var maker = Maker(random: SplitMix(state: 20_261_122))
        var (sieves, matches) = (0, 0)
        for _ in 0..<800 {
            let expression = maker.expression()
            let outline = try #require(read(expression), "\(expression)")
            let sieve = ExpressionSieve(outline)
            if sieve != nil { sieves += 1 }
            let literal = outline.literal
            for _ in 0..<2 {
                let text = maker.text()
                // PCRE2 refuses some, such as repetitions of repetitions.
                for (start, found) in try Self.matches(expression, in: text) ?? [] {
                    matches += 1
                    if let sieve { #expect(start + 4 <= text.count && passes(text[start...], sieve), "\(expression)") }
                    let match = found.map { asciiLowercased($0) }
                    #expect(contains(match, literal.map { asciiLowercased($0) }), "\(expression)")
                }
            }
        }
        #expect(sieves > 100 && matches > 1_000)
    }

    private func contains(_ text: [UInt8], _ literal: [UInt8]) -> Bool {
        literal.isEmpty || text.indices.contains { text[$0...].starts(with: literal) }
    }

    /// What PCRE2 finds at each place of a text.
    private static func matches(_ expression: String, in text: [UInt8]) throws -> [(start: Int, found: [UInt8])]? {
        var (error, offset): (Int32, Int) = (0, 0)
        let bytes = Array(expression.utf8)
        let flags = PCRE2_ANCHORED | PCRE2_DOTALL
        guard let code = pcre2_compile_8(bytes, bytes.count, flags, &error, &offset, nil) else { return nil }
        defer { pcre2_code_free_8(code) }
        let data = try #require(pcre2_match_data_create_8(1, nil))
        defer { pcre2_match_data_free_8(data) }
        var found: [(Int, [UInt8])] = []
        for start in 0...text.count
        where pcre2_match_8(code, text, text.count, start, 0, data, nil) >= 0 {
            let places = try #require(pcre2_get_ovector_pointer_8(data))
            found.append((start, Array(text[Int(places[0])..<Int(places[1])])))
        }
        return found
    }
}
