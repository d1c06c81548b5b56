import BytesE
import Testing

@testable import Normalization

private func view<T>(_ text: String, _ body: (ByteView) -> T) -> T {
    Array(text.utf8).withUnsafeBufferPointer { body(ByteView($0)) }
}

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

@Suite("Links of HTML")
struct HTMLLinkTests {
    private func links(_ html: String) -> [String] {
        let bytes = Array(html.utf8)
        let room = NormalizedText.room(for: bytes.count)
        let space = UnsafeMutablePointer<UInt8>.allocate(capacity: 2 * room)
        defer { space.deallocate() }
        return bytes.withUnsafeBufferPointer { buffer in
            var forms = HTMLForms(
                ByteView(buffer), withoutComments: NormalizedText(base: space, capacity: room),
                withoutTags: NormalizedText(base: space + room, capacity: room), findsLinks: true)
            _ = forms.normalize { true }
            return (forms.links?.links ?? []).map { "\(text($0.target)) \(text($0.shown))" }
        }
    }

    /// The pairs that the documentation of the phishing formats gives for such a document.
    @Test func pairs() {
        #expect(links("<a href=\"http://1.example/\">1.shown.example</a> ") == ["http://1.example/ 1.shown.example"])
        #expect(
            links("<a href='http://2.example'>2 s<b>ho</b>wn.example</a> ") == ["http://2.example 2 shown.example"])
        #expect(
            links("<a href=\"http://3.example\">three <a href=\"http://4.example\">four</a> ")
                == ["http://3.example three ", "http://4.example four"])
        #expect(
            links("<a href=\"http://6.example\">6<img src=\"6.shown.example/i.gif\">!</a> ")
                == ["http://6.example 6.shown.example/i.gif", "http://6.example 6!"])
        #expect(
            links("<form action=\"http://5.example\"><a href=\"http://in.example\">x</a></form><a href=u>v</a> ")
                == ["http://5.example http://in.example", "http://in.example x", "u v"])
        #expect(
            links("<a href=\"http://7.example\" title=\"www.shown.example\">click</a> ")
                == ["http://7.example www.shown.example", "http://7.example click"])
        #expect(links("<a href=\"http://8.example\">open") == ["http://8.example open"])
        #expect(links("<p>text</p>") == [])
    }
}

@Suite("Addresses in links")
struct LinkTextTests {
    @Test(arguments: [
        ("http://www.example.com/x", true), ("https://a", true), ("www.example.com", true), ("example.com", true),
        ("click here", false), ("", false), ("example", false), ("me@example.com", false), ("a.b.unknowntld", false),
        ("mailto:me@example.com", false), ("javascript:x.com", false), ("www..com", false),
    ])
    func addresses(_ address: String, _ isAddress: Bool) {
        #expect(view(address) { LinkText.isAddress($0, anyScheme: false) } == isAddress)
    }

    @Test(arguments: [
        ("http://WWW.Example.com/Path?q", "http://www.example.com"), (" http://a.example ", "http://a.example"),
        ("http:\\\\a.example\\b", "http://a.example"), ("http://%41.example/", "http://a.example"),
        ("http://a .example/", "http://a.example"), ("&lthttp://a.example&gt", "http://a.example"),
        ("asp.net", ""), ("", ""), ("x", ""),
    ])
    func cleaned(_ address: String, _ expected: String) {
        #expect(text(view(address) { LinkText.cleaned($0, isTarget: true) }) == expected)
    }

    @Test func shownTextIsTrimmed() {
        #expect(text(view("  (www. bank .example)! ") { LinkText.cleaned($0, isTarget: false) }) == "www.bank.example")
        #expect(view("http://a%00b.example") { LinkText.isCloaked(ByteView($0.buffer)) } == false)
        let cloaked = view("http://a%00b.example") { LinkText.cleaned($0, isTarget: true) }
        #expect(cloaked.withUnsafeBufferPointer { LinkText.isCloaked(ByteView($0)) })
    }

    @Test func hosts() {
        func host(_ address: String) -> String? {
            view(address) { LinkText.host($0, isTarget: true).map { String(decoding: $0.name.array, as: UTF8.self) } }
        }
        #expect(host("http://www.bank.example") == "www.bank.example")
        #expect(host("bank.example:80/x") == "bank.example")
        #expect(host("http://bank.com@evil.example") == "evil.example")
        #expect(host("mailto:me@bank.example") == nil)
        #expect(host("http://a..b") == nil)
        #expect(host("http://") == nil)
        #expect(view("http://bank.com@evil.example") { LinkText.host($0, isTarget: true)?.hasMisleadingUser } == true)
        #expect(view("http://me@evil.example") { LinkText.host($0, isTarget: true)?.hasMisleadingUser } == false)
        #expect(view("http://192.0.2.1") { LinkText.host($0, isTarget: true)?.isNumeric } == true)
        #expect(view("http://192.0.2.x") { LinkText.host($0, isTarget: true)?.isNumeric } == false)
    }

    @Test(arguments: [
        ("www.example.com", "example.com"), ("a.b.example.co.uk", "example.co.uk"), ("www.example.de", "example.de"),
        ("example.com", "example.com"), ("localhost", "localhost"), ("example.com.br", "example.com.br"),
    ])
    func domains(_ host: String, _ domain: String) {
        // The second level of some countries is a list of its own; "co" is a country itself.
        #expect(view(host) { String(decoding: LinkText.domain($0).array, as: UTF8.self) } == domain)
    }
}

@Suite("Canonical addresses")
struct CanonicalURLTests {
    private func forms(_ address: String) -> [String] {
        view(address) { address in
            var result: [String] = []
            CanonicalURL(address)?.forEachForm { host, path in
                result.append(String(decoding: host.array + path.array, as: UTF8.self))
                return true
            }
            return result
        }
    }

    /// The example of Google's "Suffix/prefix expressions".
    @Test func suffixesAndPrefixes() {
        #expect(
            forms("http://a.b.c/1/2.html?param=1") == [
                "a.b.c/1/2.html?param=1", "a.b.c/1/2.html", "a.b.c/", "a.b.c/1/", "b.c/1/2.html?param=1",
                "b.c/1/2.html", "b.c/", "b.c/1/",
            ])
        #expect(
            Set(forms("http://a.b.c.d.e.f.g/1.html").map { $0.prefix { $0 != "/" } })
                == ["a.b.c.d.e.f.g", "c.d.e.f.g", "d.e.f.g", "e.f.g", "f.g"])
        #expect(forms("http://1.2.3.4/1/") == ["1.2.3.4/1/", "1.2.3.4/"])
    }

    @Test(arguments: [
        ("http://host/%25%32%35", "host/%25"), ("http://www.Example.com", "www.example.com/"),
        ("http://www.example.com/a/../b", "www.example.com/b"), ("http://host//twice//", "host/twice/"),
        ("http://...www.example.com...", "www.example.com/"), ("http://user@host:80/x#frag", "host/x"),
        ("http://host/./a", "host/a"), ("http://host/..", "host/"),
    ])
    func canonical(_ address: String, _ first: String) {
        #expect(forms(address).first == first)
    }

    @Test(arguments: ["host/path", "http://", "http:///", ""])
    func none(_ address: String) {
        #expect(forms(address) == [])
    }
}
