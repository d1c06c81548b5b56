import BytesE
import CModuleABI
import Matching
import SignatureCompiler
import Testing

/// Logical signatures that ask for icons by their groups.
@Suite("Icon groups")
struct IconTests {
    /// A program with one icon of 16 pixels, whose colours run from corner to corner, and the text "program".
    private static let program: [UInt8] = {
        var file = [UInt8](repeating: 0, count: 0xa00)
        func put(_ value: Int, _ at: Int, _ size: Int = 4) {
            for i in 0..<size { file[at + i] = UInt8(truncatingIfNeeded: value >> (8 * i)) }
        }
        for (value, at) in [(0x5a4d, 0), (0x14c, 0x44), (1, 0x46), (0x78, 0x54), (2, 0x56), (0x10b, 0x58)] {
            put(value, at, 2)
        }
        for (value, at) in [
            (0x40, 0x3c), (0x4550, 0x40), (0x1000, 0x68), (0x1000, 0x78), (0x200, 0x7c), (0x200, 0x94), (3, 0xb4),
            (0x1000, 0xc8), (0x800, 0xcc), (0x800, 0xd8), (0x1000, 0xdc), (0x800, 0xe0), (0x200, 0xe4),
        ] { put(value, at) }
        // Types 3 and 14, each with one number, one language and data.
        let base = 0x200
        put(2, base + 14, 2)
        for (at, name, child) in [
            (0x10, 3, 0x20), (0x18, 14, 0x40), (0x30, 1, 0x60), (0x50, 1, 0x80), (0x70, 0, 0xa0), (0x90, 0, 0xb0),
        ] {
            put(name, base + at)
            put(at < 0x70 ? child | 1 << 31 : child, base + at + 4)
        }
        for directory in [0x20, 0x40, 0x60, 0x80] { put(1, base + directory + 14, 2) }
        for (at, address, size) in [(0xa0, 0x1100, 40 + 1024 + 64), (0xb0, 0x10c0, 20)] {
            put(address, base + at)
            put(size, base + at + 4)
        }
        // One entry, whose image has number 1.
        put(1, base + 0xc4, 2)
        put(1, base + 0xc6 + 12, 2)
        let image = base + 0x100
        for (value, at) in [(40, 0), (16, 4), (32, 8), (0x0020_0001, 12)] { put(value, image + at) }
        for y in 0..<16 {
            for x in 0..<16 {
                let at = image + 40 + 4 * (y * 16 + x)
                for (i, value) in [x * 255 / 16 + 37, y * 255 / 16, (x + y) * 5, 255].enumerated() {
                    file[at + i] = UInt8(value & 255)
                }
            }
        }
        file.replaceSubrange(0x900..<0x907, with: "program".utf8)
        return file
    }()

    /// What clamscan says of the icon.
    private static let measures =
        "10c1b0a0ba830000968060b52f000a5c103066470703e40a00dc0a04dc0a083f000b6700077c04096a0a0a5506094f0a061e00001f0008"
        + "2109001b1e2b57"

    static let examples: [(first: String, second: String, found: Bool)] = [
        ("ONE", "TWO", true), ("*", "TWO", true), ("ONE", "*", true), ("ONE", "THREE", false), ("TWO", "ONE", false),
        ("*", "*", true),
    ]

    @Test("an icon in both groups", arguments: examples)
    func groups(_ first: String, _ second: String, found: Bool) throws {
        let database = try TestDatabase([
            "a.idb": "Icon:ONE:TWO:\(Self.measures)",
            "a.ldb": "Test;Engine:81-255,Target:1,IconGroup1:\(first),IconGroup2:\(second);0;\(hex("program"))",
        ])
        #expect(database.report.malformed.isEmpty && database.report.unsupported.isEmpty)
        #expect(database.isFound(Self.program, type: UInt32(EM_TYPE_PE)) == found)
        // Without the text, with another icon, as a library.
        for change in [0x900..<0x901, 0x328..<0x700, 0x57..<0x58] {
            var other = Self.program
            for at in change { other[at] = change.count == 1 ? 0x20 : UInt8(at * at >> 4 & 0xff) }
            #expect(!database.isFound(other, type: UInt32(EM_TYPE_PE)))
        }
    }

    @Test(
        "lines that are wrong are told", arguments: ["Icon:ONE:TWO", "Icon:ONE:TWO:10", "Icon:ONE::", "Icon:A:B:C:D"])
    func malformed(_ line: String) throws {
        #expect(try TestDatabase(["a.idb": line]).report.malformedCount == 1)
    }
}
