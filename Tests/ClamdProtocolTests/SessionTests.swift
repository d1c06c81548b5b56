import Bytes
import ClamdProtocol
import Testing

/// Events as text, with content of streams joined, for a whole conversation given in pieces.
func events(_ pieces: [[UInt8]], stream: UInt64 = 1_000, quiet: Bool = false, ended: Bool = true) -> [String] {
    var limits = ServerSession.Limits()
    limits.stream = stream
    var session = ServerSession(limits: limits)
    var held: [UInt8] = []
    var result: [String] = []
    var content: [UInt8] = []
    for (index, piece) in pieces.enumerated() {
        held += piece
        let isLast = index == pieces.count - 1
        while true {
            let (event, consumed) = held.withUnsafeBufferPointer {
                session.next(ByteView($0), isQuiet: quiet && isLast, hasEnded: ended && isLast)
            }
            defer { held.removeFirst(consumed) }
            switch event {
            case .again: continue
            case .streamBegan: content = []
            case .streamData(let range): content += held[range]
            case .streamEnded(let form):
                result.append(name(form) + "stream " + String(decoding: content, as: UTF8.self))
            case .streamTooLong(let form): result.append(name(form) + "too long")
            case .descriptor(let form, let low, let high): result.append(name(form) + "descriptor \(low)-\(high)")
            case .command(let command, let form): result.append(name(form) + text(command))
            case .invalid(let form, let text): result.append(name(form) + text)
            case .end: return result + ["end"]
            case .needsInput: break
            }
            if event == .needsInput { break }
        }
    }
    return result
}

private func name(_ form: ReplyForm) -> String {
    (form.delimiter == 0 ? "z" : "n") + (form.number.map(String.init) ?? "") + " "
}

private func text(_ command: Command) -> String {
    guard case .scan(let kind, let path) = command else { return "\(command)" }
    return "\(kind) \(String(decoding: path, as: UTF8.self))"
}

private func chunks(_ text: String, by size: Int = 1_000) -> [UInt8] {
    let bytes = Array(text.utf8)
    var result: [UInt8] = []
    for begin in stride(from: 0, to: bytes.count, by: size) {
        let part = bytes[begin..<min(begin + size, bytes.count)]
        result += withUnsafeBytes(of: UInt32(part.count).bigEndian) { Array($0) } + part
    }
    return result + [0, 0, 0, 0]
}

@Suite struct SessionTests {
    @Test(arguments: [
        // As clamd answers them: which styles a command may have, and what ends it.
        ("PING\n", "n ping"), ("PING\r\n", "n ping"), ("PING", "n ping"), ("PING\0", "n ping"), ("nPING\n", "n ping"),
        ("nPING\r\n", "n ping"), ("nPING\0\n", "n ping"), ("zPING\0", "z ping"), ("zPING\n\0", "z UNKNOWN COMMAND"),
        ("ping\n", "n UNKNOWN COMMAND"), ("PING \n", "n UNKNOWN COMMAND"), ("qPING\n", "n UNKNOWN COMMAND"),
        ("\n", "n UNKNOWN COMMAND"), ("VERSION\n", "n version"), ("VERSIONCOMMANDS\n", "n UNKNOWN COMMAND"),
        ("nVERSIONCOMMANDS\n", "n versionCommands"), ("STATS\n", "n UNKNOWN COMMAND"), ("zSTATS\0", "z statistics"),
        ("RELOAD\n", "n reload"), ("SHUTDOWN\n", "n shutdown"), ("DETSTATS\n", "n detectionStatistics"),
        ("IDSESSION\n", "n UNKNOWN COMMAND"), ("zEND\0", "z UNKNOWN COMMAND"), ("INSTREAM\n", "n UNKNOWN COMMAND"),
        ("SCAN\n", "n UNKNOWN COMMAND"), ("SCAN \n", "n first "), ("SCAN /a b\n", "n first /a b"),
        ("zSCAN /a\nb\0", "z first /a\nb"), ("CONTSCAN /a\n", "n all /a"), ("nMULTISCAN /a\n", "n parallel /a"),
        ("ALLMATCHSCAN /a\n", "n UNKNOWN COMMAND"), ("zALLMATCHSCAN /a \0", "z allMatches /a "),
        ("zscan /a\0", "z UNKNOWN COMMAND"), ("STREAM\n", "n UNKNOWN COMMAND"), ("FILDES\nx", "n descriptor 0-7"),
    ]) func oneCommand(_ input: String, _ expected: String) {
        #expect(events([Array(input.utf8)]) == [expected, "end"])
        #expect(events(input.utf8.map { [$0] }).first != nil)
    }

    @Test func prefixedCommandsMayComeByteByByte() {
        for input in ["nPING\n", "zPING\0", "zSCAN /a\nb\0", "nFILDES\nx"] {
            #expect(events([Array(input.utf8)]) == events(input.utf8.map { [$0] }), "\(input)")
        }
    }

    @Test func bareCommandWithoutLineEndWaitsForQuiet() {
        let text = Array("SCAN /a".utf8)
        #expect(events([text], ended: false) == [])
        #expect(events([text], quiet: true, ended: false) == ["n first /a", "end"])
        #expect(events([text], ended: true) == ["n first /a", "end"])
        #expect(events([Array("SCAN /".utf8), Array("a\n".utf8)], ended: false) == ["n first /a", "end"])
    }

    @Test func oneCommandAConnection() {
        #expect(events([Array("nPING\nnVERSION\n".utf8)]) == ["n ping", "end"])
        #expect(events([Array("zINSTREAM\0".utf8) + chunks("a") + Array("zPING\0".utf8)]) == ["z stream a", "end"])
    }

    @Test(arguments: [1, 3, 1_000]) func streams(_ size: Int) {
        let bytes = Array("zINSTREAM\0".utf8) + chunks("some content", by: size)
        #expect(events([bytes]) == ["z stream some content", "end"])
        #expect(events(bytes.map { [$0] }) == ["z stream some content", "end"])
        #expect(events([bytes], stream: 12) == ["z stream some content", "end"])
        #expect(events([bytes], stream: 11) == ["z too long", "end"])
        #expect(events([Array(bytes.dropLast())]) == ["end"])
    }

    @Test func emptyAndHugeStreams() {
        #expect(events([Array("nINSTREAM\n".utf8) + [0, 0, 0, 0]]) == ["n stream ", "end"])
        #expect(events([Array("nINSTREAM\n".utf8) + [255, 255, 255, 255, 1]]) == ["n too long", "end"])
    }

    @Test func sessionNumbersItsReplies() {
        let bytes =
            Array("zIDSESSION\0zPING\0nVERSION\nzINSTREAM\0".utf8) + chunks("abc", by: 2)
            + Array("nFILDES\nxzSCAN /a\0zEND\0zPING\0".utf8)
        let expected = [
            "z1 ping", "n2 version", "z3 stream abc", "n4 descriptor 51-59", "z5 first /a", "end",
        ]
        #expect(events([bytes]) == expected)
        #expect(events(bytes.map { [$0] }) == expected)
    }

    @Test(arguments: [
        "CONTSCAN /a", "MULTISCAN /a", "ALLMATCHSCAN /a", "RELOAD", "SHUTDOWN", "IDSESSION", "BOGUS", "DETSTATS",
    ]) func notInASession(_ command: String) {
        #expect(
            events([Array("zIDSESSION\0zPING\0z\(command)\0zPING\0".utf8)])
                == ["z1 ping", "z2 Command invalid inside IDSESSION. ERROR", "end"])
    }

    @Test func bareCommandsAreNotInASession() {
        #expect(
            events([Array("nIDSESSION\nPING\n".utf8)]) == ["n1 Command invalid inside IDSESSION. ERROR", "end"])
    }

    @Test func longCommandsAreRefused() {
        #expect(events([Array("z".utf8) + [UInt8](repeating: 65, count: 9_000)]) == ["z UNKNOWN COMMAND", "end"])
        let path = String(repeating: "a", count: 5_000)
        #expect(events([Array("zSCAN /\(path)\0".utf8)]) == ["z first /\(path)", "end"])
    }

    @Test func replies() {
        let session = ReplyForm(delimiter: 0, number: 7)
        #expect(session.bytes(ReplyText.clean(ReplyText.stream)) == Array("7: stream: OK\0".utf8))
        let line = ReplyForm(delimiter: 0x0A)
        #expect(line.bytes(ReplyText.found(ReplyText.descriptor(12), "A\nB")) == Array("fd[12]: A?B FOUND\n".utf8))
        #expect(ReplyText.error(Array("/a\nb".utf8), "No such file") == Array("/a?b: No such file. ERROR".utf8))
        #expect(ReplyText.error(Array("/a".utf8), "No.") == Array("/a: No. ERROR".utf8))
    }
}
