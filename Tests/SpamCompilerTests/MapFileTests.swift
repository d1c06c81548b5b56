import CModuleABI
import Testing

@testable import SpamCompiler

@Suite("Maps") struct MapFileTests {
    private func entries(_ map: MapFile, _ text: String) throws -> (texts: [String], skipped: Int) {
        var skipped = 0
        let rule = try map.rule("my/list.\(map.rawValue)", Array(text.utf8), skipped: &skipped)
        return ((rule?.predicates.first?.texts ?? []).map { String(decoding: $0, as: UTF8.self) }, skipped)
    }

    @Test func domains() throws {
        let (texts, skipped) = try entries(
            .domains,
            "# a comment\nEvil.Example\r\n0.0.0.0 host.test\n*.wild.test\n.dot.test.\nevil.example # twice\n\ncom\na/b\n"
        )
        #expect(texts == ["dot.test", "evil.example", "host.test", "wild.test"])
        #expect(skipped == 2)
    }

    @Test func addressesAndLinks() throws {
        #expect(try entries(.addresses, "192.0.2.1\n2001:DB8::1\nhost\n1\n").texts == ["192.0.2.1", "2001:db8::1"])
        #expect(try entries(.links, "http://a.test/B?c\nx\n").texts == ["http://a.test/b?c"])
    }

    @Test func theRule() throws {
        var skipped = 0
        let rule = try #require(try MapFile.domains.rule("my/a-list.domains", Array("a.test".utf8), skipped: &skipped))
        #expect(rule.name == "MAP_MY_A_LIST_DOMAINS")
        #expect(rule.points == 50_000)
        #expect(rule.predicates[0].subject == EM_ANTISPAM_LINK_HOST)
        #expect(rule.predicates[0].operation == EM_ANTISPAM_LISTED)
        #expect(try MapFile.domains.rule("x", Array("# nothing\n".utf8), skipped: &skipped) == nil)
    }
}
