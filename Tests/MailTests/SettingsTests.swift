import Configuration
import ScanProtocol
import Testing

@testable import Mail

@Suite struct SettingsTests {
    private func settings(_ text: String, agent: String = "smtp") throws -> Settings {
        try Configuration(
            main: ConfigurationFile(parsing: [UInt8](text.utf8)), path: "esets.cfg", paths: Paths(root: "/nowhere"),
            userFile: { _ in .failure(ConfigurationFileProblem("none")) }
        ).settings(for: agent)
    }

    @Test func defaultsAreThoseOfTheReference() throws {
        #expect(MailPolicy(try settings("")) == MailPolicy())
    }

    @Test func everyParameterArrives() throws {
        let policy = MailPolicy(
            try settings(
                """
                [global]
                action_av_notscanned = "defer"
                action_av_crashed = "reject"
                as_score_spam = 80
                as_score_likely_spam = 60
                as_score_ham = 5
                [smtp]
                action_av = "accept"
                action_av_infected = "discard"
                action_av_deleted = "reject"
                action_as = "scan"
                av_clean_mode = "rigorous"
                av_quarantine_enabled = yes
                """))
        var expected = MailPolicy()
        expected.actionAV = .accept
        expected.actionInfected = .discard
        expected.actionNotScanned = .defer
        expected.actionDeleted = .reject
        expected.actionCrashed = .reject
        expected.actionAS = .scan
        expected.cleanMode = .rigorous
        expected.quarantine = true
        expected.scoreSpam = 80
        expected.scoreLikelySpam = 60
        expected.scoreHam = 5
        #expect(policy == expected)
    }

    @Test func scanOptions() throws {
        let text = """
            [global]
            as_rbl_service = "zen.example.org:127.0.0.2"
            av_scan_timeout = 9
            [smtp]
            av_scan_app_unsafe = yes
            action_as = "reject"
            """
        let options = ScanOptions(settings: try settings(text))
        #expect(options.numbers["av_scan_timeout"] == 9)
        #expect(options.numbers["av_scan_app_unsafe"] == 1)
        #expect(options.numbers["av_scan_app_unwanted"] == 0)
        #expect(options.numbers["av_scan_pattern"] == 1)
        #expect(options.numbers["antispam"] == 1)
        #expect(options.texts["as_rbl_service"] == "zen.example.org:127.0.0.2")
        #expect(options.texts["as_dnsbl_service"] == nil)
        // Nothing that is no business of the scanner.
        #expect(options.numbers["listen_port"] == nil)

        let spamOnly = ScanOptions(settings: try settings(text + "\naction_av = \"accept\"\n"))
        #expect(spamOnly.numbers["antispam"] == 1)
        #expect(spamOnly.numbers["av_scan_pattern"] == 0)
        #expect(ScanOptions(settings: try settings("")).numbers["antispam"] == 0)
    }

    @Test func modification() throws {
        let modification = Modification(
            try settings(
                """
                [smtp]
                as_eml_subject_template = "[%asstatus%]"
                av_eml_footnote_modification = no
                av_eml_footnote_template = "a\\nb"
                """))
        #expect(modification.antispamSubject == [.spam])
        #expect(modification.antispamSubjectTemplate == Template("[%asstatus%]"))
        #expect(modification.antivirusFootnote == [])
        #expect(modification.footnoteTemplate == Template("a\nb"))
        #expect(modification.antivirusHeader == .antivirus)
        #expect(modification.antivirusSubject == [.cleaned, .deleted, .infected, .notScanned])
    }
}
