import BytesE
import CModuleABI
import Matching
import SignatureCompiler
import Testing

/// Digests of parts of Windows programs.
@Suite("Programs")
struct ProgramTests {
    /// 32-bit, with a section of 0x200 bytes at 0x200 that begins with its imports, and one of 0x100 at 0x400, which
    /// the file alignment widens to the file's end at 0x580.
    private static let program: [UInt8] = {
        var file = [UInt8](repeating: 0, count: 0x580)
        func put(_ value: UInt32, _ at: Int, _ size: Int = 4) {
            for i in 0..<size { file[at + i] = UInt8(truncatingIfNeeded: value >> (8 * UInt32(i))) }
        }
        func put(_ text: String, _ at: Int) { file.replaceSubrange(at..<(at + text.utf8.count), with: text.utf8) }
        put("MZ", 0)
        put(0x40, 0x3c)
        put(0x4550, 0x40)
        for (value, at) in [(0x14c, 0x44), (2, 0x46), (0x70, 0x54), (0x10b, 0x58)] { put(UInt32(value), at, 2) }
        for (value, at) in [
            (0x1000, 0x68), (0x1000, 0x78), (0x200, 0x7c), (0x200, 0x94), (2, 0xb4), (0x1000, 0xc0), (40, 0xc4),
        ] { put(UInt32(value), at) }
        for (number, (size, offset)) in [(0x200, 0x200), (0x100, 0x400)].enumerated() {
            let at = 0xc8 + 40 * number
            put(UInt32(size), at + 8)
            put(UInt32(0x1000 * (number + 1)), at + 12)
            put(UInt32(size), at + 16)
            put(UInt32(offset), at + 20)
        }
        for (value, at) in [(0x1040, 0x200), (0x1060, 0x20c), (0x1040, 0x210), (0x1070, 0x240)] {
            put(UInt32(value), at)
        }
        put(0x8000_0002, 0x244)
        put("OLEAUT32.dll", 0x260)
        put("VariantInit", 0x272)
        put("tail", 0x400)
        return file
    }()

    /// Digests of the sections as sigtool prints them, or the programs of coreutils for the other algorithms.
    static let digests: [(digest: String, size: Int)] = [
        ("5e57eaaf04e5cfd7def5072f5b9c2ac2", 512),
        ("400b12d9d48de53fb4c6181c5d41a4a6dea0af8eb38606cc1429d56e8e53bb18", 512),
        ("b78a28477b21e1c6b95106b88510931a", 384), ("052dfaec0e389118a6a896299d03cd22e26b9239", 384),
    ]

    @Test("a section's digest with its size in the file", arguments: digests)
    func sections(_ digest: String, size: Int) throws {
        for (written, expected) in [("\(size)", true), ("\(size + 1)", false), ("*", true)] {
            let database = try TestDatabase(["a.msb": "\(written):\(digest):Test:73"])
            #expect(database.report.signatures == 1 && database.report.malformed.isEmpty)
            #expect(database.isFound(Self.program, type: UInt32(EM_TYPE_PE)) == expected)
            var other = Self.program
            other[0x410] ^= 1
            other[0x230] ^= 1
            #expect(!database.isFound(other, type: UInt32(EM_TYPE_PE)))
            // The same bytes as another type of object, and with headers that are broken.
            #expect(!database.isFound(Self.program))
            other = Self.program
            other[0x46] = 0
            #expect(!database.isFound(other, type: UInt32(EM_TYPE_PE)))
        }
    }

    @Test("where a section begins is told, each signature once")
    func places() throws {
        let lines = Self.digests.map { "\($0.size):\($0.digest):N\($0.digest.count)\n*:\($0.digest):M:73" }
        let result = try TestDatabase(["a.mdb": lines.joined(separator: "\n")]).matches(
            Self.program, type: UInt32(EM_TYPE_PE))
        #expect(result.found.sorted() == ["M", "M", "M", "M", "N32", "N32", "N40", "N64"])
        #expect(Set(result.offsets) == [0x200, 0x400])
    }

    @Test("potentially unwanted by the file's name", arguments: [("mdb", 0), ("msb", 0), ("mdu", 1), ("msu", 1)])
    func unwanted(_ ending: String, _ flags: Int) throws {
        let database = try TestDatabase(["a.\(ending)": "\(Self.digests[0].size):\(Self.digests[0].digest):Test"])
        #expect(database.isFound(Self.program, type: UInt32(EM_TYPE_PE)))
        #expect(database.database.signature(0)?.flags == UInt32(flags))
    }

    @Test("the digest of the imports, of 32-bit programs")
    func imports() throws {
        for digest in [
            "e830f3275a5aa600170303c7eeb55856", "c93f199f8fc1db641f665ed55b5c6282d184e25761c768c8aa88a8a74fb85f75",
        ] {
            for (size, expected) in [("44", true), ("45", false), ("*", true)] {
                let database = try TestDatabase(["a.imp": "\(digest):\(size):Test"])
                #expect(database.report.signatures == 1 && database.report.malformed.isEmpty)
                #expect(database.isFound(Self.program, type: UInt32(EM_TYPE_PE)) == expected)
                var other = Self.program
                other[0x272] = UInt8(ascii: "X")
                #expect(!database.isFound(other, type: UInt32(EM_TYPE_PE)))
                // Capitals are small letters in it.
                other[0x272] = UInt8(ascii: "v")
                #expect(database.isFound(other, type: UInt32(EM_TYPE_PE)) == expected)
            }
        }
    }

    @Test("sections that share their bytes cost no more than an object may")
    func overlapping() throws {
        let count = 1000
        var file = Self.program
        file.removeSubrange(0xc8...)
        file += [UInt8](repeating: 0, count: 40 * count)
        for number in 0..<count {
            let at = 0xc8 + 40 * number
            for (value, field) in [(0x10000, 8), (0x1000, 12), (0x10000, 16), (0, 20)] {
                for i in 0..<4 { file[at + field + i] = UInt8(truncatingIfNeeded: value >> (8 * i)) }
            }
        }
        file[0x46] = UInt8(count & 0xff)
        file[0x47] = UInt8(count >> 8)
        file += [UInt8](repeating: 1, count: 0x20000 - file.count)
        let database = try TestDatabase(["a.mdb": "65536:\(Self.digests[0].digest):Test"])
        #expect(database.matches(file, type: UInt32(EM_TYPE_PE)).outcome == .limit)
    }
}
