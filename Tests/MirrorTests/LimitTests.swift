import Configuration
import Foundation
import JSON
import Platform
import Testing

@testable import Mirror

@Suite struct LimitTests {
    @Test func requestsComeBackWithTime() {
        let client = Client(tokens: 4, now: 0)
        for _ in 0..<4 { #expect(client.mayAsk(rate: 2, now: 0)) }
        #expect(!client.mayAsk(rate: 2, now: 0))
        #expect(!client.mayAsk(rate: 2, now: 400_000_000))
        #expect(client.mayAsk(rate: 2, now: 600_000_000))
        #expect(!client.mayAsk(rate: 2, now: 600_000_000))
        // However long the pause, no more than twice the rate at once.
        let later: UInt64 = 1_000_000_000_000
        for _ in 0..<4 { #expect(client.mayAsk(rate: 2, now: later)) }
        #expect(!client.mayAsk(rate: 2, now: later))
    }

    @Test func anIPv6NetworkIsOneClient() throws {
        let table = ClientTable()
        func client(_ text: String) throws -> Client { table.client(try #require(IPAddress(text)), rate: 1) }
        #expect(try client("2001:db8::1") === client("2001:db8::ffff:1"))
        #expect(try client("2001:db8::1") !== client("2001:db8:0:1::1"))
        #expect(try client("192.0.2.1") === client("::ffff:192.0.2.1"))
        #expect(try client("192.0.2.1") !== client("192.0.2.2"))
        #expect(table.count == 4)
    }
}

@Suite struct StatisticsTextTests {
    private let text: StatisticsText = {
        var facts = MirrorFacts()
        (facts.files, facts.bytes, facts.changed) = (3, 1_234, 1_700_000_000)
        facts.timestamp = MirrorFacts.timestamp(
            Array(#"{"signed": {"version": 7, "expires": "2026-11-21T16:00:00Z"}, "signatures": []}"#.utf8))
        return StatisticsText(counters: ["requests": 12, "bytes": 99], facts: facts)
    }()

    @Test func threeForms() {
        #expect(text.plain.hasPrefix("requests=12\nbytes=99\nok=0\n"))
        #expect(text.json["counters"]?["requests"] == 12)
        #expect(text.json["mirror"]?["timestamp_expires_seconds"] == 1_795_276_800)
        #expect(text.prometheus.contains("# TYPE esets_mird_requests_total counter\nesets_mird_requests_total 12\n"))
        #expect(
            text.prometheus.contains("# TYPE esets_mirror_timestamp_version gauge\nesets_mirror_timestamp_version 7\n"))
    }

    @Test func everyCounterHasANameThatTheManagerTakes() {
        for (name, meaning) in Statistics.meanings {
            #expect(name.utf8.count <= 32 && name.utf8.allSatisfy { $0 == 0x5F || (0x61...0x7A).contains($0) })
            #expect(meaning.hasSuffix("."))
        }
    }

    @Test func whatIsNoTimestampIsNone() {
        for text in ["", "{}", #"{"signed": {"version": "7", "expires": "2026-11-21T16:00:00Z"}}"#] {
            #expect(MirrorFacts.timestamp(Array(text.utf8)) == nil)
        }
    }

    @Test func factsOfADirectory() throws {
        let directory = NSTemporaryDirectory() + "facts-\(UUID().uuidString)"
        try Files.makeDirectory(directory + "/metadata")
        try Files.replace(directory + "/a", with: Array("12345".utf8))
        try Files.replace(directory + "/.part", with: Array("not served".utf8))
        try Files.replace(
            directory + "/metadata/timestamp.json",
            with: Array(#"{"signed": {"version": 2, "expires": "2026-11-21T16:00:00Z"}}"#.utf8))
        let facts = MirrorFacts.read(directory)
        #expect(facts.files == 2 && facts.timestamp == .init(version: 2, expires: 1_795_276_800))
        try Files.remove(directory)
    }
}

@Suite struct MirrorSettingsTests {
    private func settings(_ section: String) throws -> MirrorSettings {
        let root = NSTemporaryDirectory() + "settings-\(UUID().uuidString)"
        let paths = Paths(root: root)
        try Files.makeDirectory(paths.configurationDirectory)
        defer { try? Files.remove(root) }
        try Files.replace(paths.configurationFile, with: Array("[mird]\n\(section)\n".utf8))
        return try MirrorSettings(try Configuration.load(paths: paths))
    }

    @Test func asTheGuideHasIt() throws {
        let plain = try settings("agent_enabled = yes\nlisten_addr = \"192.168.1.10\"\nlisten_port = 2221")
        #expect(plain.listenHost == "192.168.1.10" && plain.listenPort == 2_221)
        #expect(plain.credentials == nil && !plain.isTLS && plain.directory.hasSuffix("/var/opt/eset/esets/lib/mirror"))
        let basic = try settings("auth_mode = \"basic\"\nusername = \"Aladdin\"\npassword = \"open sesame\"")
        #expect(basic.credentials == Array("QWxhZGRpbjpvcGVuIHNlc2FtZQ==".utf8))
    }

    @Test(arguments: [
        "auth_mode = \"basic\"", "auth_mode = \"basic\"\nusername = \"a\"", "auth_mode = \"basic\"\npassword = \"a\"",
        "auth_mode = \"basic\"\nusername = \"a:b\"\npassword = \"a\"", "tls_cert_file = \"/nowhere\"",
        "tls_cert_file = \"/nowhere\"\ntls_key_file = \"/nowhere\"",
    ])
    func whatWouldLetInEverybodyOrNobodyIsRefused(_ section: String) {
        #expect(throws: (any Error).self) { try settings(section) }
    }
}
