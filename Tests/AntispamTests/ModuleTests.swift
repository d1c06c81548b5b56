import Antispam
import BytesE
import CModuleABI
import DataModule
import Platform
import SpamCompiler
import Testing
import TokensE

/// modules/antispam of this checkout.
let moduleSources = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" } + "/modules/antispam"

/// The content of a file.
func text(_ path: String) throws -> String {
    String(decoding: try Files.read(path), as: UTF8.self)
}

/// em006 from the shipped sources.
func shippedDatabase() throws -> [UInt8] {
    var sources = AntispamSources()
    try sources.add(directory: moduleSources)
    return try AntispamCompiler.compile(rules: sources.rules, statistics: sources.statistics, version: 1).bytes()
}

func database(_ rules: String, _ statistics: TokenStatistics = TokenStatistics()) throws -> [UInt8] {
    var parser = RuleParser()
    try parser.add(file: "test.rules", text: rules)
    return try AntispamCompiler.compile(rules: parser.rules, statistics: statistics, version: 1).bytes()
}

/// Drives em005 through its C tables.
final class Driver {
    let host = FakeHost()
    private let module: em_module
    private var instance: OpaquePointer?
    private let table: em_analyse_v1

    init(_ database: [UInt8]?) throws {
        host.data["em006"] = database
        host.numbers["antispam"] = 1
        module = try #require(antispamModule()).pointee
        try #require(module.`init`(host.pointer, em_slice(), &instance) == EM_OK)
        table = try #require(module.interface(instance, "em.analyse/1")).load(as: em_analyse_v1.self)
    }

    deinit { module.deinit(instance) }

    var selfTest: em_status {
        module.interface(instance, "em.selftest/1")?.load(as: em_selftest_v1.self).run(instance, nil, 0, nil)
            ?? EM_E_STATE
    }

    /// Judges a message; the statuses of the calls.
    @discardableResult
    func judge(_ message: String) -> [em_status] {
        host.forget()
        var analysis: OpaquePointer?
        let begun = table.begin(instance, host.scan, &analysis)
        guard begun == EM_OK, let analysis else { return [begun] }
        var root = em_object()
        root.struct_size = UInt32(MemoryLayout<em_object>.size)
        root.type = EM_TYPE_MAIL
        root.id = 1
        root.data = host.lend(Array(message.replacing("\n", with: "\r\n").utf8))
        var statuses = [table.object(analysis, &root, nil, EM_PHASE_ENTER)]
        while statuses.last == EM_SUSPENDED, statuses.count < 5 {
            statuses.append(table.object(analysis, &root, nil, EM_PHASE_ENTER))
        }
        #expect(table.object(analysis, &root, nil, EM_PHASE_LEAVE) == EM_OK)
        table.end(analysis)
        return statuses
    }

    var score: Int32 { host.findings.filter { $0.kind == EM_FINDING_SPAM }.reduce(0) { $0 + $1.score } }
}

let ham = """
    From: Maria Lopez <maria@example.org>
    To: Tom Baker <tom@example.com>
    Subject: Minutes of the meeting
    Date: Mon, 5 Jan 2026 10:00:00 +0000
    Message-ID: <1@example.org>

    Hello Tom, attached are the minutes. Please send corrections by Thursday.
    """

@Suite struct ModuleTests {
    @Test func itIsOffUnlessAsked() throws {
        let driver = try Driver(nil)
        driver.host.numbers["antispam"] = nil
        #expect(driver.judge(ham) == [EM_E_UNSUPPORTED])
    }

    @Test func aMissingDatabaseIsSaidAndADamagedOneRefused() throws {
        #expect(try Driver(nil).host.log.count == 1)
        let host = FakeHost()
        host.data["em006"] = [1, 2, 3]
        var instance: OpaquePointer?
        let module = try #require(antispamModule()).pointee
        #expect(module.`init`(host.pointer, em_slice(), &instance) == EM_E_DATA)
    }

    @Test func theSelfTestPasses() throws {
        #expect(try Driver(shippedDatabase()).selfTest == EM_OK)
    }

    @Test func gtubeIsFoundInDecodedText() throws {
        let driver = try Driver(nil)
        let encoded = "WEpTKkM0SkRCUUFETjEuTlNCTjMqMklETkVOKkdUVUJFLVNUQU5EQVJELUFOVEktVUJFLVRFU1QtRU1BSUwqQy4zNFg="
        driver.judge("From: a@example.org\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n\(encoded)\n")
        #expect(driver.host.found("GTUBE")?.score == 1_000_000)
        driver.judge(ham)
        #expect(driver.score == 0)
    }

    @Test func shippedRulesJudgePlainCases() throws {
        let driver = try Driver(shippedDatabase())
        driver.judge(ham)
        #expect(driver.score < 10_000, "\(driver.host.findings)")
        driver.judge(
            """
            From: "service@bank.com" <x@mailer.example.top>
            Reply-To: collect@gmail.com
            Subject: ACCOUNT SUSPENDED!! ACT NOW
            Content-Type: text/html

            <p>Your account has been suspended. To avoid closing it within 24 hours, <a href="http://192.0.2.7/login">https://www.bank.com</a> click here.</p>
            <form action="http://192.0.2.7/x"></form>
            """)
        #expect(driver.score >= 90_000, "\(driver.host.findings)")
        #expect(driver.host.found("LINK_MISMATCH") != nil)
        #expect(driver.host.found("FROM_NAME_OTHER_ADDRESS") != nil)
        #expect(driver.host.found("ACCOUNT_THREAT_ELSEWHERE") != nil)
    }

    @Test func listsDecideBeforeRules() throws {
        let driver = try Driver(shippedDatabase())
        let spam =
            "From: x@bad.example.net\nSubject: YOU HAVE WON A PRIZE\n\nviagra order now http://evil.example.com/\n"
        driver.host.texts = ["mail.client": "192.0.2.7", "as_approved_ip_list": "192.0.2.0/24"]
        driver.judge(spam)
        #expect(driver.score == 0)
        #expect(driver.host.found("APPROVED_IP")?.kind == EM_FINDING_NOTE)
        driver.host.texts = ["mail.client": "192.0.2.7", "as_blocked_ip_list": "192.0.2.7"]
        driver.judge(ham)
        #expect(driver.score == 100_000)
        driver.host.texts = ["as_blocked_domain_list": "evil.example.com"]
        driver.judge(spam)
        #expect(driver.host.found("BLOCKED_DOMAIN")?.score == 100_000)
        driver.host.texts = ["as_approved_domain_list": "bad.example.net"]
        driver.judge(spam)
        #expect(driver.host.found("APPROVED_DOMAIN") != nil)
        // A From domain alone is no proof when the envelope says otherwise.
        driver.host.texts["mail.sender"] = "<forger@elsewhere.example>"
        driver.judge(spam)
        #expect(driver.host.found("APPROVED_DOMAIN") == nil)
        #expect(driver.score > 0)
        driver.host.texts = [:]
        driver.host.numbers["as_message_scan_size"] = 20
        driver.judge(spam)
        #expect(driver.score == 0)
        #expect(driver.host.found("LARGER_THAN_SCAN_SIZE") != nil)
    }
}
