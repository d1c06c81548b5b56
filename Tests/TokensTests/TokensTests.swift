import Bytes
import Testing

@testable import Tokens

private func tokens(_ text: String, _ field: TokenField = .body) -> Set<UInt64> {
    var tokenizer = Tokenizer()
    Array(text.utf8).withView { tokenizer.text($0, field: field) }
    return Set(tokenizer.tokens.values)
}

private func token(_ word: String, _ field: TokenField = .body) -> UInt64 {
    var hash = TokenHash(field)
    Array(word.utf8).withView { hash.add($0) }
    return hash.value
}

@Suite struct TokenizerTests {
    @Test func wordsAreLowerCaseAndBare() {
        let found = tokens("  Buy 'Cheap' pills!!! --now-- $500 at")
        for word in ["buy", "cheap", "pills!", "now", "$500"] { #expect(found.contains(token(word)), "\(word)") }
        #expect(!found.contains(token("at")))
        #expect(!found.contains(token("cheap", .subject)))
    }

    @Test func pairsOfNeighbours() {
        let found = tokens("click here now")
        #expect(found.contains(TokenHash.pair(token("click"), token("here"), distance: 1)))
        #expect(found.contains(TokenHash.pair(token("click"), token("now"), distance: 2)))
        #expect(!found.contains(TokenHash.pair(token("here"), token("click"), distance: 1)))
    }

    @Test func writingWithoutSpacesGivesCharacterPairs() {
        let found = tokens("免费获得大奖立即点击领取您的奖品")
        #expect(found.count == 15)
        #expect(found.contains(token("免费")))
        #expect(found.contains(token("奖品")))
    }

    @Test func theSetIsBounded() {
        var tokenizer = Tokenizer(limit: 100)
        let text = (0..<1000).map { "word\($0)x" }.joined(separator: " ")
        Array(text.utf8).withView { tokenizer.text($0, field: .body) }
        #expect(tokenizer.tokens.values.count == 100)
        #expect(Set(tokenizer.tokens.values).count == 100)
    }
}

@Suite struct ClassifierTests {
    @Test func mathematics() {
        // Reference values from tables.
        #expect(abs(naturalLogarithm(10) - 2.302585092994046) < 1e-14)
        #expect(abs(naturalLogarithm(1e-300) + 690.7755278982137) < 1e-10)
        #expect(abs(exponential(-1) - 0.36787944117144233) < 1e-15)
        #expect(abs(exponential(-700) / 9.85967654375977e-305 - 1) < 1e-12)
        #expect(exponential(-800) == 0)
        // chi-square with 10 degrees of freedom: 5 % lie beyond 18.307.
        #expect(abs(chiSquareTail(18.307038, pairs: 5) - 0.05) < 1e-6)
    }

    @Test func probabilities() throws {
        let classifier = Classifier(learned: TokenCounts(spam: 100, ham: 100))
        func judge(_ tokens: [UInt64]) -> Double? {
            classifier.probability(of: tokens) { token in
                token < 100
                    ? TokenCounts(spam: 50, ham: 1)
                    : token < 200 ? TokenCounts(spam: 1, ham: 50) : TokenCounts(spam: 20, ham: 20)
            }
        }
        #expect(try #require(judge(Array(0..<20))) > 0.999)
        #expect(try #require(judge(Array(100..<120))) < 0.001)
        #expect(abs(try #require(judge(Array(90..<110))) - 0.5) < 0.01)
        #expect(judge([500]) == nil)
        #expect(
            Classifier(learned: TokenCounts(spam: 0, ham: 5)).probability(of: [1]) { _ in TokenCounts(spam: 0, ham: 1) }
                == nil)
        // Thousands of tokens neither overflow nor take longer to decide.
        let many = try #require(judge((0..<5000).map { $0 % 100 }))
        #expect(many > 0.999 && many <= 1)
    }
}

@Suite struct HTMLReaderTests {
    private func read(_ page: String) -> (text: String, reader: [Link], hidden: Int, forms: Int) {
        var reader = HTMLReader(into: TextSink())
        Array(page.utf8).withView { reader.read($0) }
        return (String(decoding: reader.text.bytes, as: UTF8.self), reader.links, reader.hidden, reader.forms)
    }

    @Test func textAsItIsShown() {
        #expect(
            read("<p>V<b></b>ia<i>gra</i></p><p>Now&nbsp;only &#36;1 &amp; &#x20AC;2</p>").text
                == "viagra now only $1 & €2 ")
        #expect(read("a<!-- hidden --><script>var x = '<b>';</script><style>p{}</style>b").text == "a b ")
        #expect(read("via\u{200b}gra so\u{ad}ft").text == "viagra soft ")
        #expect(read("1 < 2 and <").text == "1 < 2 and < ")
    }

    @Test func linksAndTheirMismatch() {
        let links = read(
            "<a href='http://evil.example.net/x'>https://www.bank.com/login</a> <a href=\"https://user@Shop.example.co.uk:8443/\">shop</a>"
        ).reader
        #expect(links.count == 2)
        #expect(links[0].isMismatched)
        #expect(links[1].host == Array("shop.example.co.uk".utf8))
        #expect(!links[1].isMismatched)
        #expect(!read("<a href='http://mail.bank.com/x'>www.bank.com</a>").reader[0].isMismatched)
        #expect(!read("<a href='http://track.example.org/x'>Read more</a>").reader[0].isMismatched)
    }

    @Test func hostilePagesEnd() {
        let pages = [
            String(repeating: "<a href=\"", count: 20_000), String(repeating: "<", count: 50_000),
            String(repeating: "<!--", count: 20_000), String(repeating: "&", count: 50_000),
            String(repeating: "<script>", count: 10_000), String(repeating: "<a b=' ", count: 10_000), "<a href",
        ]
        for page in pages { _ = read(page) }
        #expect(read(pages[0] + "'><form action=x>").forms <= 1)
    }

    @Test func registeredDomains() {
        func domain(_ host: String) -> String { String(decoding: registeredDomain(Array(host.utf8)), as: UTF8.self) }
        #expect(domain("a.b.example.com") == "example.com")
        #expect(domain("www.shop.example.co.uk") == "example.co.uk")
        #expect(domain("example.de") == "example.de")
        #expect(domain("192.0.2.1") == "192.0.2.1")
    }
}

@Suite struct MessageContentTests {
    private func content<R>(_ message: String, _ body: (MessageContent) -> R) -> R {
        Array(message.replacing("\n", with: "\r\n").utf8).withView { body(MessageContent($0)) }
    }

    @Test func headerFacts() {
        let message = """
            Received: from a ([192.0.2.1]) by b; Mon, 5 Jan 2026 10:00:00 +0000
            From: "service@bank.com" <x@other.example>
            Reply-To: me@third.example
            To: You <you@example.org>, "B, C" <b@example.org>
            Date: Wed, 7 Jan 2026 12:00:00 +0100
            Message-ID: nonsense
            Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=

            Hello http://www.example.com/path, bye.
            """
        content(message) { content in
            #expect(String(decoding: content.subject, as: UTF8.self) == "Grüße")
            #expect(content.facts[.fromNameAddress] == 1)
            #expect(content.facts[.replyToDiffers] == 1)
            #expect(content.facts[.recipients] == 2)
            #expect(content.facts[.dateAhead] == 49)
            #expect(content.facts[.messageIDMalformed] == 1)
            #expect(content.facts[.hops] == 1)
            #expect(content.links.map(\.host) == [Array("www.example.com".utf8)])
        }
    }

    @Test func partsFacts() {
        let message = """
            From: a@example.org
            Content-Type: multipart/mixed; boundary=x

            --x
            Content-Type: text/html
            Content-Transfer-Encoding: base64

            PHA+SGVsbG8gd29ybGQ8L3A+
            --x
            Content-Type: application/octet-stream; name="a.exe"

            MZ
            --x--
            """
        content(message) { content in
            #expect(String(decoding: content.text, as: UTF8.self) == "hello world ")
            #expect(content.facts[.htmlOnly] == 1)
            #expect(content.facts[.encodedText] == 1)
            #expect(content.attachments == [Array("a.exe".utf8)])
            #expect(content.facts[.undisclosed] == 1)
        }
    }

    @Test func dates() {
        func seconds(_ text: String) -> Int64? { Array(text.utf8).withView { MailDate($0)?.seconds } }
        #expect(seconds("Thu, 01 Jan 1970 00:00:00 +0000") == 0)
        #expect(seconds("Tue, 29 Feb 2000 12:34:56 -0130") == 951_833_096)
        #expect(seconds("1 jan 26 0:00 GMT") == 1_767_225_600)
        #expect(seconds("yesterday") == nil)
        #expect(seconds("32 Jan 2026 00:00:00 +0000") == nil)
    }

    @Test func anyBytesAreAMessage() {
        var state: UInt64 = 0x9e37_79b9
        let pieces = [
            "From: ", "<a href=", "\r\n", "--x", "Content-Type: multipart/mixed; boundary=x", "=?utf-8?b?", "&#", "\"",
            "(", "<", ">", "\u{202e}", "http://", ";",
        ]
        for _ in 0..<200 {
            var message = ""
            for _ in 0..<60 {
                state = state &* 6_364_136_223_846_793_005 &+ 1
                message += pieces[Int((state >> 33) % UInt64(pieces.count))]
            }
            content(message) { _ = $0.tokens() }
        }
    }

    @Test func reportsCancelling() {
        let message = [UInt8](repeating: 0x41, count: 300_000)
        message.withView { view in #expect(MessageContent(view, check: { false }).isCancelled) }
    }
}
