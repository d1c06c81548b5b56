import Glibc
import Platform
import Testing

@testable import Quarantine

/// A directory that goes with the test.
private final class Scratch {
    let path: String

    init() throws {
        var template = [CChar]("/tmp/esets-quarantine-XXXXXX".utf8CString)
        guard let result = mkdtemp(&template) else { throw SystemError("mkdtemp") }
        path = String(cString: result)
    }

    deinit { try? Files.remove(path) }

    var store: QuarantineStore { QuarantineStore(directory: "\(path)/quarantine") }

    func output() throws -> Descriptor {
        try Descriptor.open("\(path)/out", O_RDWR | O_CREAT | O_TRUNC)
    }

    func outputBytes() throws -> [UInt8] { try Files.read("\(path)/out") }
}

private func record(_ name: String = "message", time: UInt64 = 7) -> QuarantineRecord {
    QuarantineRecord(
        time: time, name: name, virus: "Test.File", agent: "smtp", sender: "a@example.org",
        recipients: ["b@example.org", "c@example.org"], reason: "infected")
}

@Suite struct QuarantineTests {
    private let content = [UInt8]("content of an infected message\r\n".utf8)

    @Test func storesUnderTheSHA1AndGivesBack() throws {
        let scratch = try Scratch()
        let writer = try scratch.store.add()
        try writer.append(Array(content[..<5]))
        try writer.append(Array(content[5...]))
        let id = try writer.commit(record())

        // printf 'content of an infected message\r\n' | sha1sum
        #expect(id.text.count == 40)
        try scratch.store.copy(id, to: scratch.output())
        #expect(try scratch.outputBytes() == content)

        let listed = try scratch.store.list()
        #expect(listed.map(\.id) == [id])
        let stored = try #require(listed.first?.records.first)
        #expect(stored.size == UInt64(content.count))
        #expect(stored.hash.count == 64)
        #expect(stored.recipients == ["b@example.org", "c@example.org"])
        #expect(stored.virus == "Test.File")
        #expect(stored.time == 7)
    }

    @Test func knownDigest() throws {
        let scratch = try Scratch()
        let writer = try scratch.store.add()
        try writer.append([UInt8]("abc".utf8))
        let id = try writer.commit(record())
        #expect(id.text == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(
            try scratch.store.records(of: id)[0].hash
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test func contentOnDiskIsMaskedAndPrivate() throws {
        let scratch = try Scratch()
        let writer = try scratch.store.add()
        try writer.append(content)
        let id = try writer.commit(record())
        let path = "\(scratch.store.directory)/\(id).dat"
        let stored = try Files.read(path)
        #expect(stored == content.map { $0 ^ 0xA5 })
        for suffix in ["dat", "inf"] {
            let mode = try Descriptor.open("\(scratch.store.directory)/\(id).\(suffix)", O_RDONLY).status().st_mode
            #expect(mode & 0o777 == 0o600)
        }
    }

    @Test(.enabled(if: geteuid() == 0)) func whatRootPutsInBelongsToTheOwnerOfTheDirectory() throws {
        let scratch = try Scratch()
        try Files.makeDirectory(scratch.store.directory, mode: 0o700)
        chown(scratch.store.directory, 65_534, 65_534)
        let writer = try scratch.store.add()
        try writer.append(content)
        let id = try writer.commit(record())
        for suffix in ["dat", "inf"] {
            let file = try Descriptor.open("\(scratch.store.directory)/\(id).\(suffix)", O_RDONLY)
            #expect(try file.status().st_uid == 65_534)
        }
    }

    @Test func sameContentIsStoredOnceWithAllRecords() throws {
        let scratch = try Scratch()
        for i in 0..<(RecordFile.limit + 3) {
            let writer = try scratch.store.add()
            try writer.append(content)
            _ = try writer.commit(record("message \(i)", time: UInt64(i)))
        }
        let entries = try scratch.store.list()
        #expect(entries.count == 1)
        #expect(entries[0].records.count == RecordFile.limit)
        #expect(entries[0].records.last?.name == "message \(RecordFile.limit + 2)")
    }

    @Test func anUnfinishedObjectLeavesNothing() throws {
        let scratch = try Scratch()
        do {
            let writer = try scratch.store.add()
            try writer.append(content)
        }
        #expect(try Files.names(in: scratch.store.directory) == [])
        #expect(try scratch.store.list().isEmpty)
    }

    @Test func takesAFileFromItsBeginning() throws {
        let scratch = try Scratch()
        let source = try Descriptor.memory(name: "source")
        let long = [UInt8](repeating: 0x41, count: 200_001)
        try source.writeAll(long)  // The position is now at the end.
        let writer = try scratch.store.add()
        try writer.append(source)
        let id = try writer.commit(record())
        try scratch.store.copy(id, to: scratch.output())
        #expect(try scratch.outputBytes() == long)
    }

    @Test func deletes() throws {
        let scratch = try Scratch()
        let writer = try scratch.store.add()
        try writer.append(content)
        let id = try writer.commit(record())
        try scratch.store.delete(id)
        #expect(try Files.names(in: scratch.store.directory) == [])
        #expect(throws: QuarantineError.self) { try scratch.store.delete(id) }
        #expect(throws: QuarantineError.self) { try scratch.store.records(of: id) }
    }

    @Test func damagedContentIsNoticed() throws {
        let scratch = try Scratch()
        let writer = try scratch.store.add()
        try writer.append(content)
        let id = try writer.commit(record())
        try Descriptor.open("\(scratch.store.directory)/\(id).dat", O_WRONLY).writeAll([1, 2, 3])
        let error = #expect(throws: QuarantineError.self) { try scratch.store.copy(id, to: scratch.output()) }
        guard case .damaged(id)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func aFullDiskIsToldApart() {
        for code in [ENOSPC, EDQUOT] {
            guard case .full = QuarantineError(SystemError("write", "x", code: code)) else {
                Issue.record("\(code) is not full")
                continue
            }
        }
        guard case .system = QuarantineError(SystemError("write", "x", code: EIO)) else {
            Issue.record("EIO is full")
            return
        }
    }

    @Test func idsCannotNameOtherFiles() {
        #expect(QuarantineID("../../../../etc/passwd") == nil)
        #expect(QuarantineID(String(repeating: "/", count: 40)) == nil)
        #expect(QuarantineID(String(repeating: "A", count: 40))?.text == String(repeating: "a", count: 40))
    }

    @Test func recordsCannotForgeLines() {
        var hostile = record("x\nVirus: none\n\nTime: 1\r\\n\tü\u{1}")
        hostile.recipients = ["a\nTo: b"]
        let parsed = QuarantineRecord.parse(hostile.text)
        #expect(parsed.count == 1)
        #expect(parsed.first?.name == "x\nVirus: none\n\nTime: 1\r\\n\tü?")
        #expect(parsed.first?.recipients == ["a\nTo: b"])
        #expect(parsed.first?.virus == "Test.File")
    }

    @Test func damagedRecordsDoNotHideOthers() {
        let text = "garbage\n\nVirus: lost\n\n" + record("kept").text + "\nTime: x\n"
        let parsed = QuarantineRecord.parse(text)
        #expect(parsed.map(\.name) == ["kept", ""])
    }
}
