import Testing

@testable import Configuration

@Suite struct SettingsTests {
    @Test func valuesAreInherited() throws {
        let all = try configuration(
            "action_av_infected = \"discard\"\nnum_thrd = 3\n[smtp]\nlisten_port = 2525\n[pop3]\naction_av_infected = defer\n"
        )
        #expect(all.settings(for: "mda").action("action_av_infected") == .discard)
        #expect(all.settings(for: "pop3").action("action_av_infected") == .defer)
        #expect(all.settings(for: "smtp").number("listen_port") == 2525)
        #expect(all.settings(for: "pop3").number("listen_port") == 8110)
        #expect(all.settings(for: "imap").text("server_addr") == "")
        #expect(all.global.number("num_thrd") == 3)
        #expect(all.settings(for: "smtp").number("num_thrd") == 8)
        #expect(all.settings(for: "smtp").isSet("listen_port"))
        #expect(!all.settings(for: "smtp").isSet("server_port"))
        #expect(all.settings(for: "mda").origin(of: "action_av_infected") == .init(file: "esets.cfg", line: 1))
    }

    @Test func gettersGiveWhatTheTypeMeans() throws {
        let text = """
            av_scan_max_memory = 64M
            av_exclude = "/a:b/*:: /c ::"
            av_eml_subject_modification = "cleaned:notscanned"
            av_eml_footnote_template = "a\\nb\\\\c\\d"
            report_domains = "a.com: .org"
            tmp_dir = "/t"
            as_approved_ip_list = "10.0.0.0/8"
            user_config = "u.cfg"
            [mda]
            mda_path = "/usr/bin/procmail"
            """
        let all = try configuration(text, users: ["u.cfg": ""], paths: Paths(root: "/r"))
        let settings = all.settings(for: "smtp")
        #expect(settings.number("av_scan_max_memory") == 64 << 20)
        #expect(settings.list("av_exclude") == ["/a:b/*", "/c"])
        #expect(settings.mask("av_eml_subject_modification") == [.cleaned, .notScanned])
        #expect(settings.mask("av_eml_header_modification") == .antivirus)
        #expect(settings.mask("as_eml_header_modification") == [])
        #expect(settings.text("av_eml_footnote_template") == "a\nb\\c\\d")
        #expect(all.global.list("report_domains") == ["a.com", ".org"])
        #expect(all.global.text("tmp_dir") == "/r/t")
        #expect(all.daemonSocket == "/r/tmp/esets.sock")
        #expect(all.generationsDirectory == "/r/var/opt/eset/esets/lib/generations")
        #expect(settings.text("user_config") == "/r/etc/opt/eset/esets/u.cfg")
        #expect(all.settings(for: "mda").text("mda_path") == "/usr/bin/procmail")
        #expect(settings.addresses("as_approved_ip_list").count == 1)
        #expect(settings.optionalAction("action_as") == nil)
        #expect(settings.cleanMode == .standard)
        #expect(settings.tlsServer == .no)
        #expect(all.global.number("num_thrd") >= 2)
        #expect(settings.flag("scan_obj_runtimepackers"))
    }

    @Test func limitsEndBombsByDefault() throws {
        let settings = Configuration.builtIn(paths: Paths()).settings(for: "smtp")
        #expect(settings.number("av_scan_max_objects") == 10_000)
        #expect(settings.number("av_scan_max_total_size") == 1 << 30)
        #expect(settings.number("av_scan_max_ratio") == 2_500)
        #expect(settings.number("av_scan_max_memory") == 256 << 20)
        #expect(settings.number("av_scan_max_arch_level") == 10)
    }

    @Test func enabledAgentsAreListedInOrder() throws {
        #expect(
            try configuration("[wwwi]\nagent_enabled = yes\n[smtp]\nagent_enabled = yes\n").enabledAgents == [
                "smtp", "wwwi",
            ])
    }

    @Test func antispamIsUsedWhenAnybodyWantsIt() throws {
        #expect(try !configuration("").usesAntispam)
        #expect(try configuration("[smtp]\naction_as = scan\n").usesAntispam)
        #expect(
            try configuration("[smtp]\nuser_config = u\n", users: ["u": "[a@b]\naction_as = reject\n"]).usesAntispam)
    }
}

@Suite struct UserSectionTests {
    private let main = "[smtp]\nuser_config = \"spec.cfg\"\naction_av_infected = \"discard\"\n"

    private func settings(
        _ users: String, to recipient: String? = nil, from sender: String? = nil, client: String? = nil
    ) throws -> Settings {
        try configuration(main, users: ["spec.cfg": users]).settings(
            agent: "smtp", recipient: recipient, sender: sender, clientAddress: client)
    }

    @Test func theExamplesOfTheGuide() throws {
        let users = """
            [rcptuser@rcptdomain.com]
            action_av = "reject"
            [black-list]
            action_av = "reject"
            [|sndrname1@sndrdomain1.com]
            parent_id = "black-list"
            [white-list]
            action_av = "accept"
            action_as = "accept"
            [|friend@example.com]
            parent_id = "white-list"
            """
        #expect(try settings(users, to: "rcptuser@rcptdomain.com", from: "x@y").action("action_av") == .reject)
        #expect(try settings(users, to: "other@rcptdomain.com", from: "x@y").action("action_av") == .scan)
        let black = try settings(users, to: "a@b", from: "sndrname1@sndrdomain1.com")
        #expect(black.action("action_av") == .reject)
        #expect(black.userSection == "|sndrname1@sndrdomain1.com")
        #expect(black.action("action_av_infected") == .discard)
        #expect(try settings(users, to: "sndrname1@sndrdomain1.com", from: "a@b").action("action_av") == .scan)
        #expect(try settings(users, to: "a@b", from: "friend@example.com").optionalAction("action_as") == .accept)
    }

    @Test(
        arguments: [
            ("[a@b.c]", "a@b.c", nil, nil, true), ("[a@b.c]", "A@B.C", nil, nil, true),
            ("[a@b.c]", "\"a\"@b.c", nil, nil, true), ("[a@b.c]", "a@b.c.", nil, nil, true),
            ("[@b.c]", "\"a\"@b.c.", nil, nil, true), ("[a@b.c]", "a@b.c..", nil, nil, false),
            ("[a@b.c]", "<a@b.c>", nil, nil, true), ("[a@b.c]", "a+x@b.c", nil, nil, false),
            ("[a@b.c]", nil, "a@b.c", nil, false),
            ("[|a@b.c]", "a@b.c", nil, nil, false), ("[|a@b.c]", "x@y", "a@b.c", nil, true),
            ("[@b.c]", "x@B.C", nil, nil, true),
            ("[@b.c]", "x@a.b.c", nil, nil, false), ("[|@b.c]", nil, "x@b.c", nil, true),
            ("[|<>]", "x@y", "", nil, true),
            ("[|<>]", "x@y", nil, nil, false), ("[1.2.3.4]", nil, nil, "1.2.3.4", true),
            ("[1.2.3.4]", nil, nil, "::ffff:1.2.3.4", true),
            ("[1.2.3.0/24]", nil, nil, "1.2.3.99", true), ("[1.2.3.0/24]", nil, nil, "1.2.4.1", false),
            ("[1.2.3.0/24]", nil, nil, nil, false),
            ("[2001:db8::/32]", nil, nil, "2001:db8::5", true), ("[2001:db8::/32]", nil, nil, "2001:db9::5", false),
            ("[a@b|c@d|1.2.3.4]", "a@b", "c@d", "1.2.3.4", true), ("[a@b|c@d|1.2.3.4]", "a@b", "c@d", "1.2.3.5", false),
            ("[a@b||10.0.0.0/8]", "a@b", "x@y", "10.9.9.9", true), ("[||10.0.0.0/8]", "a@b", nil, "10.9.9.9", true),
            ("[postmaster|]", "Postmaster", nil, nil, true),
        ] as [(String, String?, String?, String?, Bool)])
    func headers(_ header: String, _ recipient: String?, _ sender: String?, _ client: String?, _ matches: Bool) throws {
        let found = try settings("\(header)\naction_av = \"reject\"\n", to: recipient, from: sender, client: client)
        #expect((found.action("action_av") == .reject) == matches)
    }

    @Test func theFirstMatchInFileOrderWins() throws {
        let users =
            "[@b]\naction_av = defer\n[a@b]\naction_av = reject\n[1.2.3.4]\naction_av = discard\n[|s@t]\naction_av = accept\n"
        #expect(try settings(users, to: "a@b", from: "s@t", client: "1.2.3.4").action("action_av") == .defer)
        #expect(try settings(users, to: "a@c", from: "s@t", client: "1.2.3.4").action("action_av") == .discard)
        #expect(try settings(users, to: "a@c", from: "s@t", client: "1.2.3.5").action("action_av") == .accept)
        let other = "[a@b]\naction_av = reject\n[@b]\naction_av = defer\n"
        #expect(try settings(other, to: "a@b").action("action_av") == .reject)
    }

    @Test func groupsOfGroupsAndOwnValues() throws {
        let users = """
            [base]
            action_av = reject
            av_scan_timeout = 5
            [middle]
            parent_id = base
            av_scan_timeout = 6
            [a@b]
            parent_id = middle
            [c@d]
            parent_id = middle
            av_clean_mode = none
            [e@f]
            parent_id = middle
            """
        let plain = try settings(users, to: "a@b")
        #expect(plain.action("action_av") == .reject)
        #expect(plain.number("av_scan_timeout") == 6)
        let own = try settings(users, to: "c@d")
        #expect(own.number("av_scan_timeout") == 6)
        #expect(own.cleanMode == .none)
        #expect(try settings(users, to: "e@f").policy == plain.policy)
        #expect(Set([try settings(users, to: "x@y").policy, plain.policy, own.policy]).count == 3)
    }

    @Test(arguments: [
        ("[a]\nparent_id = b\n[b]\nparent_id = a\n", "spec.cfg:1: [a]: parent_id leads back to [a]"),
        ("[a]\nparent_id = a\n", "spec.cfg:1: [a]: parent_id leads back to [a]"),
        (
            "[blacklist]\n[a@b]\nparent_id = blacklst\n",
            "spec.cfg:3: there is no group [blacklst] in this file; did you mean blacklist?"
        ),
        (
            "[a@b]\nlisten_port = 1\n",
            "spec.cfg:2: listen_port may not stand in a user section; it belongs in [smtp], [pop3], [imap], [mird], [wwwi] or [clamd]"
        ),
        ("[a@b]\naction_av = x\n", "spec.cfg:2: action_av must be scan, accept, defer, discard or reject"),
        ("[a@b]\n[A@b]\n", "spec.cfg:2: [A@b] occurs twice; the first time on line 1"),
        ("action_av = reject\n", "spec.cfg:1: action_av stands before any section of a user file"),
        (
            "[|example.com]\n",
            "spec.cfg:1: [|example.com]: \"example.com\" has no \"@\"; a whole domain is written @example.com"
        ),
        ("[a@b|c@d|e]\n", "spec.cfg:1: [a@b|c@d|e]: \"e\" is not an address or a network"),
        ("[a@b|c@d|1.2.3.4|]\n", "spec.cfg:1: [a@b|c@d|1.2.3.4|]: a section has at most three fields between \"|\""),
        ("[@]\n", "spec.cfg:1: [@]: \"@\" is not a domain, as in @example.com"),
    ])
    func mistakes(_ users: String, _ message: String) throws {
        let found = errors(main, users: ["spec.cfg": users]).map {
            String($0.dropFirst(Paths().configurationDirectory.count + 1))
        }
        #expect(found.contains(message), "\(found)")
    }

    @Test func aMissingFileIsReportedWhereItIsNamed() {
        #expect(errors(main) == ["esets.cfg:2: user_config: /etc/opt/eset/esets/spec.cfg: No such file"])
    }

    @Test func mailboxAgentsMatchLoginClientAndServer() throws {
        let users =
            "[bob|10.0.0.0/8]\naction_av = defer\n[bob||192.0.2.1]\naction_av = discard\n[ann@example.com]\naction_av = reject\n"
        let all = try configuration("[pop3]\nuser_config = u\n", users: ["u": users])
        func action(_ login: String, _ client: String, _ server: String) -> Action {
            all.settings(agent: "pop3", login: login, clientAddress: client, serverAddress: server).action("action_av")
        }
        #expect(action("Bob", "10.1.1.1", "192.0.2.1") == .defer)
        #expect(action("bob", "11.1.1.1", "192.0.2.1") == .discard)
        #expect(action("bob", "11.1.1.1", "192.0.2.2") == .scan)
        #expect(action("ann@example.com", "11.1.1.1", "192.0.2.2") == .reject)
    }

    /// Look-ups go by the most telling field; a section found through another key must not be skipped over.
    @Test func manySectionsAnswerAsASlowSearchWould() throws {
        var users = ""
        for number in 0..<300 {
            users += "[user\(number)@example.com]\nav_scan_timeout = \(number + 1)\n"
            if number == 150 { users += "[@example.com|boss@example.org]\nav_scan_timeout = 1000\n" }
        }
        users += "[@example.com]\nav_scan_timeout = 2000\n"
        let all = try configuration(main, users: ["spec.cfg": users])
        func timeout(_ recipient: String, _ sender: String) -> Int {
            all.settings(agent: "smtp", recipient: recipient, sender: sender, clientAddress: nil)
                .number("av_scan_timeout")
        }
        #expect(timeout("user7@example.com", "boss@example.org") == 8)
        #expect(timeout("user150@example.com", "boss@example.org") == 151)
        #expect(timeout("user151@example.com", "boss@example.org") == 1000)
        #expect(timeout("user151@example.com", "x@example.org") == 152)
        #expect(timeout("user999@example.com", "boss@example.org") == 1000)
        #expect(timeout("user999@example.com", "x@example.org") == 2000)
        #expect(timeout("user7@example.net", "boss@example.org") == 0)
    }

    @Test func aFileMayServeBothFamilies() throws {
        let users = "[|s@t]\naction_av = reject\n[bob|10.0.0.1]\naction_av = defer\n"
        let all = try configuration("user_config = u\n", users: ["u": users])
        #expect(
            all.settings(agent: "smtp", recipient: nil, sender: "s@t", clientAddress: nil).action("action_av")
                == .reject)
        #expect(
            all.settings(agent: "imap", login: "bob", clientAddress: "10.0.0.1", serverAddress: nil).action("action_av")
                == .defer)
    }
}
