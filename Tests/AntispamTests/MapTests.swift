import Antispam
import DataModule
import SpamCompiler
import Testing
import TokensE

@Suite("Maps of domains and links") struct MapTests {
    private func judge(_ map: MapFile, _ text: String, link: String) throws -> [String] {
        var skipped = 0
        let rule = try #require(try map.rule("m.\(map.rawValue)", Array(text.utf8), skipped: &skipped))
        let database = try AntispamCompiler.compile(rules: [rule], statistics: TokenStatistics(), version: 1).bytes()
        let driver = try Driver(database)
        driver.judge(
            "From: a@b.example\r\nSubject: x\r\nContent-Type: text/plain\r\n\r\nlook at \(link) please\r\n")
        return driver.host.findings.map(\.name)
    }

    /// Many entries around the one that counts, so that the search has to find its way.
    private let domains = (0..<1000).map { "d\($0 * 7919 % 1000).test" }.joined(separator: "\n") + "\nevil.example\n"

    @Test(
        "a host and what is below it",
        arguments: [
            "http://evil.example/x", "http://EVIL.example", "https://a.b.evil.example/", "http://d999.test/",
            "http://www.d0.test",
        ]) func listed(_ link: String) throws
    {
        #expect(try judge(.domains, domains, link: link) == ["MAP_M_DOMAINS"])
    }

    @Test(
        "nothing else",
        arguments: [
            "http://example/", "http://notevil.example/", "http://evil.example.org/", "http://evil.exampl/",
            "http://d1000.test/",
            "http://test/", "mailto:a@other.example",
        ]) func unlisted(_ link: String) throws
    {
        #expect(try judge(.domains, domains, link: link) == [])
    }

    @Test func wholeLinks() throws {
        let map = "http://a.test/bad\nhttp://b.test/\n"
        #expect(try judge(.links, map, link: "http://a.test/bad") == ["MAP_M_LINKS"])
        #expect(try judge(.links, map, link: "http://a.test/good") == [])
    }
}
