import CModuleABI
import Testing

@Suite struct SuspensionTests {
    private func driver(_ client: String) throws -> Driver {
        let driver = try Driver(shippedDatabase())
        driver.host.texts = ["mail.client": client, "as_rbl_service": "zen.example.net:127.0.0.2"]
        return driver
    }

    @Test func aListingCountsWhenItsAnswerComes() throws {
        let driver = try driver("192.0.2.99")
        driver.host.answers["99.2.0.192.zen.example.net"] = "127.0.0.2"
        #expect(driver.judge(ham) == [EM_SUSPENDED, EM_OK])
        #expect(driver.host.found("RBL_zen.example.net")?.score == 50_000)
        // The rules were not counted a second time.
        #expect(Set(driver.host.findings.map(\.name)).count == driver.host.findings.count)
        driver.host.answersAtOnce = true
        #expect(driver.judge(ham) == [EM_OK])
        #expect(driver.host.found("RBL_zen.example.net") != nil)
    }

    @Test func noAnswerIsNoPoint() throws {
        let driver = try driver("192.0.2.99")
        #expect(driver.judge(ham) == [EM_SUSPENDED, EM_OK])
        #expect(driver.score == 0)
        driver.host.answers["99.2.0.192.zen.example.net"] = .some(nil)
        driver.judge(ham)
        #expect(driver.score == 0)
    }

    @Test func ownRelaysAreSkipped() throws {
        let driver = try driver("10.0.0.1")
        driver.host.texts["as_ignored_ip_list"] = "198.51.100.0/24"
        let received = """
            Received: from gw ([198.51.100.5]) by mx; Mon, 5 Jan 2026 10:00:00 +0000
            Received: from far (far.example [203.0.113.5]) by gw; Mon, 5 Jan 2026 10:00:00 +0000

            """
        driver.judge(received + ham)
        #expect(driver.host.asked == ["5.113.0.203.zen.example.net"])
    }

    @Test func domainsOfLinksAreAsked() throws {
        let driver = try Driver(shippedDatabase())
        driver.host.texts = ["as_dnsbl_service": "uri.example.net", "as_ignored_domain_list": "example.org"]
        driver.host.answers["evil.example.uri.example.net"] = "127.0.0.8"
        #expect(driver.judge(ham + "\nhttp://www.evil.example/ http://www.example.org/\n") == [EM_SUSPENDED, EM_OK])
        #expect(driver.host.asked == ["evil.example.uri.example.net"])
        #expect(driver.host.found("DNSBL_uri.example.net")?.score == 50_000)
    }
}
