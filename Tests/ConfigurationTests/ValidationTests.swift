import Testing

@testable import Configuration

@Suite struct ParameterTableTests {
    @Test func everyDefaultIsAValidValue() {
        for parameter in ParameterTable.all {
            #expect(Values.problem(parameter.defaultValue, parameter.kind) == nil, "\(parameter.name)")
            #expect(parameter.meaning.hasSuffix("."), "\(parameter.name)")
        }
    }

    @Test func noSectionHasAParameterTwice() {
        for (name, section) in Sections.names + [("user", .user)] {
            let names = ParameterTable.parameters(in: section).map(\.name)
            #expect(Set(names).count == names.count, "\(name)")
        }
    }

    @Test func aliasesNameParametersAndAreNone() {
        for (alias, name) in ParameterTable.aliases {
            #expect(!ParameterTable.parameters(named: name).isEmpty, "\(alias)")
            #expect(!ParameterTable.all.contains { $0.name == alias }, "\(alias)")
        }
    }

    @Test func editDistance() {
        func distance(_ a: String, _ b: String) -> Int { ParameterTable.editDistance(Array(a.utf8), Array(b.utf8)) }
        #expect(distance("", "abc") == 3)
        #expect(distance("abc", "") == 3)
        #expect(distance("kitten", "sitting") == 3)
        #expect(distance("listne_port", "listen_port") == 1)
    }
}

@Suite struct ValidationTests {
    @Test func everythingWrongIsSaidAtOnceWithItsPlace() {
        let text = """
            [smtp]
            agent_enabled = maybe
            listen_port = 70000
            listn_addr = "localhost"
            smfi_sock_path = "/x"
            action_av = "drop"
            listen_port = 25
            garbage
            [smpt]
            [a@b]
            """
        #expect(
            errors(text).sorted() == [
                "esets.cfg:10: [a@b] is a user section; it belongs in the file that user_config names",
                "esets.cfg:2: agent_enabled must be yes or no",
                "esets.cfg:3: listen_port must lie between 1 and 65535",
                "esets.cfg:4: unknown parameter listn_addr; did you mean listen_addr?",
                "esets.cfg:5: smfi_sock_path may not stand in [smtp]; it belongs in [smfi]",
                "esets.cfg:6: action_av must be scan, accept, defer, discard or reject",
                "esets.cfg:7: listen_port is set twice in [smtp]; the first time on line 3",
                "esets.cfg:8: neither \"name = value\" nor \"[section]\"",
                "esets.cfg:9: unknown section [smpt]; did you mean [smtp]?",
            ])
    }

    @Test(arguments: [
        ("num_proc = 0", "num_proc must lie between 1 and 1024"),
        ("num_proc = 2x", "num_proc must be a whole number"),
        ("av_scan_max_memory = 1k", "av_scan_max_memory must lie between 1048576 and 1125899906842624 bytes"),
        ("av_scan_max_memory = lots", "av_scan_max_memory must be a number of bytes, as in 1000000 or 10M"),
        ("tmp_dir = tmp", "tmp_dir must be an absolute path"),
        ("tmp_dir = @TMP@/x", "tmp_dir must be an absolute path"),
        ("syslog_class = \"error:warn\"", "syslog_class \"warn\" is not error, warning"),
        ("syslog_class = \"errors\"", "did you mean error?"),
        ("syslog_facility = \"local8\"", "syslog_facility must be auth"),
        ("log_target = \"file:x\"", "log_target must be syslog, stderr or file:/absolute/path"),
        ("user_config = \"../x\"", "user_config must not contain \"..\""),
        ("av_eml_subject_modification = \"clean:spam\"", "must be yes, no, or a list of clean"),
        ("as_approved_ip_list = \"1.2.3.4, 1.2.3\"", "as_approved_ip_list \"1.2.3\" is not an address"),
        ("as_rbl_service = \"zen.spamhaus.org\"", "as_rbl_service \"zen.spamhaus.org\" is not zone:answer"),
        ("av_mail_notified_users = \"a.com:b@a.com:c.com\"", "the last one is not whole"),
        ("av_mail_notified_users = \"a@a.com:b@a.com\"", "\"a@a.com\" is not a domain"),
        ("proxy_addr = \"a b\"", "proxy_addr must be a host name or an address"),
        ("action_av_infected = \"scan\"", "action_av_infected must be accept, defer, discard or reject"),
        ("action_av = \"\"", "action_av must be scan"),
        ("scheduler_tasks = \"1;a;;;repeat;@x;\"", "scheduler_tasks task \"1;a\": repeat needs a number of minutes"),
    ])
    func wrongValues(_ line: String, _ message: String) throws {
        let found = errors(line)
        #expect(found.count == 1)
        #expect(try #require(found.first).contains(message))
        #expect(try #require(found.first).hasPrefix("esets.cfg:1: "))
    }

    @Test(arguments: [
        "av_scan_max_memory = 10M", "av_scan_max_total_size = 1 GB", "as_message_scan_size = 100kB",
        "av_eml_header_modification = no", "as_eml_header_modification = yes", "action_as =",
        "tmp_dir = \"@CACHEDIR@/tmp\"", "as_approved_ip_list = \"1.2.3.4/8,1.2.3.4-.1.2.3.8, ::1, 2001:db8::/32\"",
        "as_rbl_service = \"zen.spamhaus.org:127.0.0.2\"", "scheduler_tasks = \"\"", "proxy_addr = [::1]",
        "av_mail_notified_users = \"a.com:admin@a.com:b.com:admin@b.com\"", "scan_obj_files = no",
        "samples_send_target = \"ras:eset\"", "[dac]\nwhatever = 1", "num_proc = 2 # two",
    ])
    func rightValues(_ line: String) {
        #expect(errors(line) == [])
    }

    @Test func siblingSectionsAndObsoleteParametersAreWarnings() throws {
        let found = try configuration("av_update_period = 60\n[fac]\nx = 1\n[pac]\n").warnings.map(\.description)
        #expect(
            found == [
                "esets.cfg:1: av_update_period is obsolete and has no effect; use the task Regular automatic update in "
                    + "scheduler_tasks",
                "esets.cfg:2: [fac] belongs to the file server product and is ignored",
                "esets.cfg:4: [pac] belongs to the file server product and is ignored",
            ])
    }

    @Test func aHundredMessagesAreEnoughAndWarningsHideNoError() {
        #expect(errors(String(repeating: "x = 1\n", count: 5_000)).count == 100)
        let warnings = String(repeating: "[fac]\n", count: 500)
        #expect(
            errors(warnings + "[smtp]\nlisten_port = 0\n") == [
                "esets.cfg:502: listen_port must lie between 1 and 65535"
            ])
    }
}

@Suite struct AddressTests {
    @Test(arguments: [
        ("::1", "0:0:0:0:0:0:0:1"), ("1.2.3.4", "::ffff:1.2.3.4"), ("IPv6:2001:DB8::1", "2001:db8:0::1"),
        ("fe80::1%eth0", "fe80::1"), ("::", "0:0:0:0:0:0:0:0"), ("1::", "1:0:0:0:0:0:0:0"),
    ])
    func spellingsOfOneAddress(_ a: String, _ b: String) throws {
        #expect(try #require(IPAddress(a)) == #require(IPAddress(b)))
    }

    @Test(arguments: [
        "", "1", "1.2.3", "1.2.3.256", "1.2.3.4.5", "1.2.3.", "01.2.3.0004", ":", ":::", "1:::2", "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9", "1::2::3", "g::", "12345::", "::1:", "1:2:3:4:5:6:7:8::", "+1::", "a@b", "::1.2.3",
    ])
    func noAddresses(_ text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"), ("10.1.2.3/8", "10.0.0.0", "9.255.255.255"),
        ("10.0.0.0/255.255.0.0", "10.0.255.255", "10.1.0.0"), ("10.0.0.1-10.0.0.9", "10.0.0.9", "10.0.0.10"),
        ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"), ("::1/128", "::1", "::2"),
        ("::/64", "::ffff", "0:0:0:1::"),
        ("0.0.0.0/0", "255.255.255.255", "::1"),
    ])
    func ranges(_ text: String, _ inside: String, _ outside: String) throws {
        let range = try #require(AddressRange(text))
        #expect(range.contains(try #require(IPAddress(inside))))
        #expect(!range.contains(try #require(IPAddress(outside))))
    }

    @Test(arguments: [
        "1.2.3.4/33", "1.2.3.4/", "::1/129", "1.2.3.4/255.0.255.0", "1.2.3.9-1.2.3.4", "1.2.3.4-::1", "1.2.3.4/8/8",
        "/8", "-",
    ])
    func noRanges(_ text: String) {
        #expect(AddressRange(text) == nil)
    }
}

@Suite struct ScheduleTests {
    @Test func fieldsAreUnescaped() throws {
        let tasks = try ScheduledTask.parse("7;a\\;b\\\\c;disabled;30;threat 5;/bin/x \\d;").get()
        #expect(
            tasks == [
                ScheduledTask(
                    id: 7, name: "a;b\\c", isEnabled: false, missed: .runIfOlder(minutes: 30),
                    when: .event(.threat, atMostEvery: 5), command: "/bin/x \\d")
            ])
    }

    @Test func theDefaultHasTheTasksOfTheGuide() throws {
        let tasks = try configuration("").global.scheduledTasks
        #expect(tasks.map(\.id) == [1, 4, 64, 128, 129])
        #expect(tasks[3].command == "/etc/opt/eset/esets/scripts/daemon_notification_script")
        #expect(tasks.filter(\.isEnabled).map(\.id) == [1, 4, 64])
    }

    @Test(arguments: [
        "x;a;;;start;@x;", "1;a;no;;start;@x;", "1;a;;x;start;@x;", "1;a;;;0 0 * * *;@x;", "1;a;;;60 0 * * * *;@x;",
        "1;a;;;0 0 0 * * *;@x;", "1;a;;;0 0 * * 99 *;@x;", "1;a;;;*/0 * * * * *;@x;", "1;a;;;5-1 * * * * *;@x;",
        "1;a;;;repeat 0;@x;", "1;a;;;nothing;@x;", "1;a;;;start;x;", "1;a;;;start;@x;1;b;;;start;@x;", "1;a;;;start;",
    ])
    func wrongTasks(_ text: String) {
        #expect(throws: ScheduledTask.Problem.self) { try ScheduledTask.parse(text).get() }
    }

    @Test func calendars() throws {
        func matches(_ text: String, _ minute: Int, _ hour: Int, _ day: Int, _ month: Int, _ year: Int, _ weekday: Int)
            throws -> Bool
        {
            let words = text.split(separator: " ").map(String.init)
            return try CalendarPattern.parse(words).get().matches(
                minute: minute, hour: hour, day: day, month: month, year: year, weekday: weekday)
        }
        #expect(try matches("0 2 * * * 1", 0, 2, 6, 7, 2026, 1))
        #expect(try !matches("0 2 * * * 1", 0, 2, 6, 7, 2026, 2))
        #expect(try matches("*/15 8-18 * 1,7 2026 *", 45, 18, 6, 7, 2026, 2))
        #expect(try !matches("*/15 8-18 * 1,7 2026 *", 46, 18, 6, 7, 2026, 2))
        #expect(try matches("5/10 * * * * *", 25, 0, 1, 1, 2026, 0))
        #expect(try matches("0 0 1 * * 7", 0, 0, 9, 1, 2026, 0))
        #expect(try matches("0 0 1 * * 7", 0, 0, 1, 1, 2026, 3))
        #expect(try !matches("0 0 1 * * 7", 0, 0, 2, 1, 2026, 3))
    }
}
