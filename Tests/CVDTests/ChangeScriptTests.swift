import Bytes
import Testing

@testable import CVD

/// A container's members in memory, and scripts applied to them.
private struct Workshop {
    var files: [String: [UInt8]] = [:]

    init(container: [UInt8], kind: CVDContainer.Kind = .cvd) throws {
        var members = Members()
        try container.withUsersView { view throws(CVDError) in
            let container = try CVDContainer(view, kind: kind, keys: ChangesFixture.keys)
            _ = try container.verify(level: 220)
            try container.read(&members, information: true)
        }
        files = Dictionary(uniqueKeysWithValues: zip(members.names, members.contents))
    }

    init(_ files: [String: String]) {
        self.files = files.mapValues { Array($0.utf8) }
    }

    mutating func apply(_ text: [UInt8]) throws(CVDError) {
        var files = files
        try text.withUsersView { view throws(CVDError) in
            for step in try ChangeScript(view).steps {
                switch step {
                case .edit(let edit):
                    var made: [UInt8] = []
                    try (files[edit.name] ?? []).withUsersView { old throws(CVDError) in
                        try edit.apply(to: old) { made += $0.array }
                    }
                    files[edit.name] = made
                case .move(let move):
                    let old = files[move.from] ?? []
                    let range = try old.withUsersView { view throws(CVDError) in try move.range(in: view) }
                    files[move.to, default: []] += old[range]
                    files[move.from]?.removeSubrange(range)
                case .remove(let name): files[name] = nil
                }
            }
        }
        self.files = files
    }

    func written() throws(CVDError) -> [UInt8] {
        var result: [UInt8] = []
        try ContainerWriter.write(files.map { ($0.key, $0.value.leaked) }, name: "sample") { result += $0.array }
        return result
    }
}

extension [UInt8] {
    fileprivate func withUsersView<Result>(
        _ body: (ByteView) throws(CVDError) -> Result
    ) throws(CVDError) -> Result {
        try withUnsafeBufferPointer { buffer throws(CVDError) in try body(ByteView(buffer)) }
    }

    /// Memory that stays: members are small.
    fileprivate var leaked: ByteView {
        let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: count)
        _ = copy.initialize(from: self)
        return ByteView(UnsafeBufferPointer(copy))
    }
}

@Suite("Scripts of changes") struct ChangeScriptTests {
    private func script(_ name: String, keys: Keys = ChangesFixture.keys) throws -> [UInt8] {
        try ChangesFixture.read(name).withUsersView { view throws(CVDError) in
            let file = try ChangeFile(view, keys: keys)
            try file.verify(level: 220)
            return try file.script()
        }
    }

    private func edited(_ text: String, _ file: String = "a b\nc d\ne\n") throws -> String? {
        var workshop = Workshop(["x.ndb": file])
        try workshop.apply(Array(text.utf8))
        return workshop.files["x.ndb"].map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("two scripts make the container that was released later, member by member") func whole() throws {
        var workshop = try Workshop(container: ChangesFixture.read("sample-1.cvd"))
        for name in ["sample-2.cdiff", "sample-3.cdiff"] { try workshop.apply(script(name)) }
        let released = try Workshop(container: ChangesFixture.read("sample-3.cvd"))
        #expect(workshop.files == released.files)
        // What is written is what the publisher signed.
        let again = try Workshop(container: workshop.written(), kind: .cld)
        #expect(again.files == released.files)
    }

    @Test("a container in which anything else was changed is refused") func wrongContent() throws {
        var workshop = try Workshop(container: ChangesFixture.read("sample-1.cvd"))
        try workshop.apply(script("sample-2.cdiff"))
        workshop.files["sample.ndb"]?[0] ^= 1
        let bytes = try workshop.written()
        #expect(throws: CVDError.self) { _ = try Workshop(container: bytes, kind: .cld) }
    }

    @Test func commands() throws {
        #expect(try edited("OPEN x.ndb\nADD f g\nCLOSE\n") == "a b\nc d\ne\nf g\n")
        #expect(try edited("OPEN x.ndb\nDEL 1 a\nDEL 3 e\nCLOSE\n") == "c d\n")
        #expect(try edited("OPEN x.ndb\nXCHG 2 c new line\nCLOSE\n") == "a b\nnew line\ne\n")
        #expect(try edited("OPEN x.ndb\nXCHG 2 c \nCLOSE\n") == "a b\n\ne\n")
        #expect(try edited("# nothing\n\n") == "a b\nc d\ne\n")
        #expect(try edited("UNLINK x.ndb\n") == nil)
        #expect(try edited("OPEN x.ndb\nADD z\nCLOSE\n", "") == "z\n")
    }

    @Test(
        "what cannot be applied is an error, never a guess",
        arguments: [
            "OPEN x.ndb\nDEL 4 a\nCLOSE\n", "OPEN x.ndb\nDEL 1 c\nCLOSE\n", "OPEN x.ndb\nDEL 0 a\nCLOSE\n",
            "OPEN x.ndb\nDEL 2 c\nDEL 1 a\nCLOSE\n", "OPEN x.ndb\nDEL 1 a\nXCHG 1 a b\nCLOSE\n", "OPEN x.ndb\nADD z\n",
            "ADD z\n", "CLOSE\n", "OPEN x.ndb\nOPEN y.ndb\nCLOSE\n", "OPEN ../x\nCLOSE\n", "OPEN .x\nCLOSE\n",
            "OPEN a/b\nCLOSE\n", "OPEN x.ndb\nDEL 99999999999999999999 a\nCLOSE\n", "MOVE x.ndb y.ndb 2 c 1 a\n",
            "MOVE x.ndb y.ndb 1 a 9 z\n", "MOVE x.ndb y.ndb 1 b 2 c\n", "MOVE x.ndb x.ndb 1 a 2 c\n", "RUN x\n",
            "OPEN x.ndb\nUNLINK x.ndb\nCLOSE\n", "OPEN\nCLOSE\n", "OPEN x.ndb\nDEL 1\nCLOSE\n",
        ]) func refused(_ text: String)
    {
        #expect(throws: CVDError.self) { _ = try edited(text) }
    }

    @Test("a file that does not end with a whole line is not added to") func halfLine() {
        #expect(throws: CVDError.self) { _ = try edited("OPEN x.ndb\nADD z\nCLOSE\n", "a") }
        #expect(throws: CVDError.self) { _ = try edited("OPEN x.ndb\nDEL 1 a\nCLOSE\n", "a") }
    }

    @Test("every changed byte of a script's file breaks its signature") func signature() throws {
        let bytes = try ChangesFixture.read("sample-2.cdiff")
        #expect(throws: CVDError.self) { _ = try script("sample-2.cdiff", keys: .published) }
        for at in stride(from: 0, to: bytes.count, by: 5) {
            var damaged = bytes
            damaged[at] ^= 1
            #expect(throws: CVDError.self) {
                try damaged.withUsersView { view throws(CVDError) in
                    try ChangeFile(view, keys: ChangesFixture.keys).verify(level: 220)
                }
            }
        }
    }

    @Test("a hundred thousand changes take time in proportion") func large() throws {
        let lines = (1...100_000).map { "line\($0):x" }
        let text = lines.joined(separator: "\n") + "\n"
        let changes = stride(from: 1, through: 100_000, by: 2).map { "DEL \($0) line\($0):" }
        let result = try edited("OPEN x.ndb\n\(changes.joined(separator: "\n"))\nCLOSE\n", text)
        #expect(result?.hasPrefix("line2:x\nline4:x\n") == true)
        #expect(result?.split(separator: "\n").count == 50_000)
    }
}
