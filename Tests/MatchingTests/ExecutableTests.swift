import CModuleABI
import Matching
import Testing

/// Offsets from entry points and sections, in the smallest files that have them.
@Suite("Executables")
struct ExecutableTests {
    /// A PE file with two sections of 0x200 bytes at 0x200 and 0x400, entry 0x10 bytes into the first.
    private static let pe: [UInt8] = {
        var file = [UInt8](repeating: 0, count: 0x600)
        func put(_ value: UInt32, _ at: Int, _ size: Int = 4) {
            for i in 0..<size { file[at + i] = UInt8(truncatingIfNeeded: value >> (8 * UInt32(i))) }
        }
        put(0x5a4d, 0, 2)
        put(0x80, 0x3c)
        put(0x4550, 0x80)
        put(2, 0x86, 2)
        put(0xe0, 0x94, 2)
        put(0x1010, 0x98 + 16)
        for (number, (address, offset)) in [(0x1000, 0x200), (0x2000, 0x400)].enumerated() {
            let at = 0x98 + 0xe0 + 40 * number
            put(0x200, at + 8)
            put(UInt32(address), at + 12)
            put(0x200, at + 16)
            put(UInt32(offset), at + 20)
        }
        return file
    }()

    /// A 64-bit ELF file: one segment that maps the file at 0x400000, entry at 0x120, sections at 0x100 and 0x180.
    private static let elf: [UInt8] = {
        var file = [UInt8](repeating: 0, count: 0x300)
        func put(_ value: UInt64, _ at: Int, _ size: Int) {
            for i in 0..<size { file[at + i] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(i))) }
        }
        put(0x464c_457f, 0, 4)
        put(2, 4, 1)
        put(1, 5, 1)
        put(0x40_0120, 24, 8)
        put(64, 32, 8)
        put(0x200, 40, 8)
        put(56, 54, 2)
        put(1, 56, 2)
        put(64, 58, 2)
        put(2, 60, 2)
        put(1, 64, 4)
        put(0, 72, 8)
        put(0x40_0000, 80, 8)
        put(0x300, 96, 8)
        put(0x300, 104, 8)
        for (number, offset) in [0x100, 0x180].enumerated() {
            put(1, 0x200 + 64 * number + 4, 4)
            put(UInt64(offset), 0x200 + 64 * number + 24, 8)
            put(0x80, 0x200 + 64 * number + 32, 8)
        }
        return file
    }()

    struct Example {
        let offset: String
        /// Where the pattern lies in the PE and in the ELF file.
        let pe, elf: Int
        let matches: Bool
    }

    static let examples = [
        Example(offset: "EP+0", pe: 0x210, elf: 0x120, matches: true),
        Example(offset: "EP+4", pe: 0x214, elf: 0x124, matches: true),
        Example(offset: "EP-4", pe: 0x20c, elf: 0x11c, matches: true),
        Example(offset: "EP+0", pe: 0x211, elf: 0x121, matches: false),
        Example(offset: "EP+0,8", pe: 0x218, elf: 0x128, matches: true),
        Example(offset: "EP+0,8", pe: 0x219, elf: 0x129, matches: false),
        Example(offset: "S0+0", pe: 0x200, elf: 0x100, matches: true),
        Example(offset: "S1+3", pe: 0x403, elf: 0x183, matches: true),
        Example(offset: "S1+3", pe: 0x404, elf: 0x184, matches: false),
        Example(offset: "S2+0", pe: 0x400, elf: 0x180, matches: false),
        Example(offset: "SL+1", pe: 0x401, elf: 0x181, matches: true),
        Example(offset: "SE0", pe: 0x3f0, elf: 0x170, matches: true),
        Example(offset: "SE0", pe: 0x420, elf: 0x190, matches: false),
        Example(offset: "SE1", pe: 0x420, elf: 0x190, matches: true),
    ]

    @Test(arguments: examples)
    func offsets(_ example: Example) throws {
        for (file, target, type, at) in [
            (Self.pe, 1, EM_TYPE_PE, example.pe), (Self.elf, 6, EM_TYPE_ELF, example.elf),
        ] {
            for (body, bytes) in [(hex("malware!"), Array("malware!".utf8)), ("eedd", [0xee, 0xdd])] {
                var object = file
                object.replaceSubrange(at..<(at + bytes.count), with: bytes)
                let database = try TestDatabase(body: body, target: target, offset: example.offset)
                #expect(database.isFound(object, type: type) == example.matches, "\(example.offset) \(body) \(target)")
            }
        }
    }

    @Test("damaged headers are no crash")
    func damaged() throws {
        var random = Deterministic(5)
        for (file, target, type) in [(Self.pe, 1, EM_TYPE_PE), (Self.elf, 6, EM_TYPE_ELF)] {
            let database = try TestDatabase([
                "a.ndb": ["EP+0", "S1+0", "SE0", "SL+0,9", "EP-9"].map { "N:\(target):\($0):eedd" }.joined(
                    separator: "\n")
            ])
            let scratch = Scratch()
            for count in stride(from: 0, to: file.count, by: 7) {
                _ = database.matches(Array(file.prefix(count)), type: type, scratch: scratch)
            }
            for _ in 0..<1500 {
                var object = file
                for _ in 0..<3 {
                    let at = Int.random(in: 0..<0x180, using: &random)
                    object[at] = Bool.random(using: &random) ? 0xff : UInt8.random(in: 0...255, using: &random)
                }
                #expect(database.matches(object, type: type, scratch: scratch).outcome == .complete)
            }
        }
    }
}
