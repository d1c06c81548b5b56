import Configuration
import Glibc
import Platform
import Testing

@testable import Logging

extension ScanRecord {
    fileprivate var line: String {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A directory that is removed with the last reference.
private final class Scratch {
    let path: String

    init() throws {
        var template = Array("/tmp/esets-log-XXXXXX".utf8CString)
        path = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    deinit { try? Files.remove(path) }
}

/// A syslog daemon that only listens.
private final class Listener {
    let socket: Descriptor

    init(_ path: String) throws {
        socket = Descriptor(owning: Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket.raw, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(result == 0)
    }

    /// The next message; nil when none is waiting.
    func next() -> String? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(socket.raw, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }
}

@Suite struct RecordTests {
    private let record = ScanRecord(
        id: 0x1b3e_0300, isNotable: true, database: 31502, agent: "smtp", name: "from: a@x to: b@y",
        virus: "Win32/X trojan", action: "cleaned by deleting", avStatus: "clean (deleted)", asStatus: "",
        hop: "accepted", from: "a@x", to: ["b@y", "c@z"])

    @Test func theLineHasItsFieldsInOrder() {
        #expect(
            record.line == #"vdb=31502, agent=smtp, name="from: a@x to: b@y", virus="Win32/X trojan", "#
                + #"action="cleaned by deleting", info="", avstatus="clean (deleted)", asstatus="", "#
                + #"hop="accepted", from="a@x", to="b@y, c@z""#)
    }

    @Test func hostileNamesStayInTheirField() {
        var hostile = record
        hostile.name = "a\", virus=\"\\\r\nsumm: \u{202E}\u{85}"
        #expect(hostile.line.contains(#"name="a\", virus=\"\\\x0d\x0asumm: \u{202e}\x85", virus="Win32"#))
    }

    @Test func longFieldsAndManyRecipientsAreCut() {
        var long = record
        long.name = String(repeating: "é", count: 5_000)
        long.to = (0..<1_000).map { "user\($0)@example.com" }
        #expect(long.line.utf8.count < 3_000)
        #expect(long.line.hasSuffix("user9@example.com, … 990 more\""))
        #expect(long.line.contains("é…\", virus="))
    }
}

@Suite struct LogTextTests {
    @Test func aCutLineEndsWithAWholeCharacter() {
        for padding in 0..<4 {
            let text = String(repeating: "x", count: padding) + String(repeating: "😀", count: 3_000)
            var cut = Array(text.utf8)
            LogText.cut(&cut)
            #expect(cut.count >= LogText.maximumLength - 4 && cut.count <= LogText.maximumLength)
            #expect(String(validating: cut, as: UTF8.self) != nil)
        }
    }
}

@Suite struct SyslogTests {
    @Test func theSocketGetsPriorityTagAndText() throws {
        let scratch = try Scratch()
        let listener = try Listener(scratch.path + "/log")
        let log = Log(
            program: "esets_test", target: .syslog, facility: "mail", classes: [.error, .warning],
            syslogSocket: scratch.path + "/log")
        log.error("first\nline", id: 0xAB)
        log.info("not written")
        log.warning("second", id: 1)
        let first = try #require(listener.next())
        #expect(first.hasPrefix("<19>"))
        #expect(first.hasSuffix(" esets_test[\(getpid())]: error[000000ab]: first\\x0aline"))
        #expect(try #require(listener.next()).hasPrefix("<20>"))
        #expect(listener.next() == nil)
    }

    @Test func aRestartedDaemonIsFoundAgain() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/log"
        var listener: Listener? = try Listener(path)
        let log = Log(program: "esets_test", target: .syslog, syslogSocket: path)
        log.error("one")
        #expect(listener?.next()?.hasSuffix(": one") == true)
        listener = nil
        unlink(path)
        let second = try Listener(path)
        log.error("two")
        #expect(second.next()?.hasSuffix(": two") == true)
    }

    @Test func aReaderThatDoesNotReadLosesMessagesAndIsTold() throws {
        let scratch = try Scratch()
        let listener = try Listener(scratch.path + "/log")
        let log = Log(program: "esets_test", target: .syslog, syslogSocket: scratch.path + "/log")
        for number in 0..<2_000 { log.error("message \(number)") }
        var received = 0
        while let line = listener.next() {
            #expect(line.hasSuffix(": message \(received)"))
            received += 1
        }
        #expect(received < 2_000)
        log.error("last")
        #expect(
            listener.next()?.hasSuffix(": \(2_000 - received) messages were lost: the log did not take them") == true)
        #expect(listener.next()?.hasSuffix(": last") == true)
    }

    @Test func facilityNoneWritesNothing() throws {
        let scratch = try Scratch()
        let listener = try Listener(scratch.path + "/log")
        let log = Log(program: "t", target: .syslog, facility: "none", syslogSocket: scratch.path + "/log")
        log.error("x")
        #expect(listener.next() == nil)
    }

    @Test(arguments: [
        ("kern", 0), ("daemon", 3), ("cron", 9), ("authpriv", 10), ("ftp", 11), ("local0", 16), ("local7", 23),
    ])
    func facilitiesHaveTheirCodes(_ name: String, _ code: Int) {
        #expect(SyslogFacility.code(of: name) == code)
    }

    @Test func everyFacilityOfTheTableIsKnown() throws {
        for parameter in ParameterTable.parameters(named: "syslog_facility") {
            guard case .choice(let names) = parameter.kind else { continue }
            for name in names where name != "none" { #expect(SyslogFacility.code(of: name) != nil, "\(name)") }
        }
        #expect(SyslogFacility.code(of: "local8") == nil)
    }
}

@Suite struct FileLogTests {
    @Test func classesDecideWhatIsWritten() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/esets.log"
        let clean = ScanRecord(id: 1, isNotable: false, agent: "smtp", name: "clean")
        let bad = ScanRecord(id: 2, isNotable: true, agent: "smtp", name: "bad")
        func lines(_ classes: Set<LogClass>) throws -> [String] {
            try Files.remove(path)
            let log = Log(program: "t", target: .file(path), classes: classes)
            for record in [clean, bad] {
                log.summary(record)
                log.part(record)
            }
            guard Files.exists(path) else { return [] }
            return try Files.text(path).split(separator: "\n").map { line in
                String(line.split(separator: " ")[2].prefix { $0 != ":" })
            }
        }
        #expect(try lines([]) == [])
        #expect(try lines([.summ]) == ["summ[00000002]"])
        #expect(try lines([.summall]) == ["summall[00000001]", "summ[00000002]"])
        #expect(try lines([.part, .summ]) == ["summ[00000002]", "part[00000002]"])
        #expect(try lines([.partall]) == ["partall[00000001]", "part[00000002]"])
    }

    @Test func reopenFollowsARotatedFile() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/esets.log"
        let log = Log(program: "t", target: .file(path))
        log.error("one")
        rename(path, path + ".1")
        log.error("two")
        log.reopen()
        log.error("three")
        #expect(try Files.text(path + ".1").split(separator: "\n").count == 2)
        let line = try Files.text(path)
        #expect(line.hasSuffix(": three\n"))
        #expect(line.utf8.dropFirst(4).first == UInt8(ascii: "-"))
    }

    @Test func linesOfManyThreadsDoNotMix() async throws {
        let scratch = try Scratch()
        let path = scratch.path + "/esets.log"
        let log = Log(program: "t", target: .file(path))
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { for _ in 0..<50 { log.error(String(repeating: "x", count: 300)) } }
            }
        }
        let lines = try Files.text(path).split(separator: "\n")
        #expect(lines.count == 400)
        #expect(lines.allSatisfy { $0.hasSuffix(": " + String(repeating: "x", count: 300)) })
    }

    @Test func theConfigurationChoosesTargetAndClasses() throws {
        let scratch = try Scratch()
        let text = "log_target = \"file:@CACHEDIR@/logs/x.log\"\nsyslog_class = \"info\"\n"
        let paths = Paths(root: scratch.path)
        let configuration = try Configuration(
            main: ConfigurationFile(parsing: Array(text.utf8)), path: "c", paths: paths
        ) { _ in .failure(ConfigurationFileProblem("none")) }
        try Files.makeDirectory(paths.logsDirectory)
        let log = Log(program: "t", settings: configuration.global, paths: paths)
        #expect(log.writes(.info))
        log.error("not written")
        log.info("written")
        let content = try Files.text(paths.logsDirectory + "/x.log")
        #expect(content.split(separator: "\n").count == 1)
        #expect(content.hasSuffix(": written\n"))
    }
}
