import BytesE
import CModuleABI
import Foundation
import Testing

@testable import Archives

/// Programs and archives behind other bytes.
@Suite struct EmbeddedTests {
    private let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + [UInt8](repeating: 0x4D, count: 300)

    private func children(_ bytes: [UInt8], declared: StaticString = "") -> [[UInt8]] {
        let host = TrialHost(memory: 4 << 20)
        _ = bytes.withUnsafeBufferPointer { host.unpack(ByteView($0), declared: declared) }
        return host.children.filter { text($0.format) == "EMBEDDED" }.map { $0.data }
    }

    private func sample(_ name: String) throws -> [UInt8] {
        try [UInt8](Data(contentsOf: SampleTests.folder.appendingPathComponent(name)))
    }

    /// A program for Windows with one section that reaches to its end.
    private var program: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 512)
        bytes.replaceSubrange(0..<2, with: [0x4D, 0x5A])
        bytes.replaceSubrange(60..<64, with: little(64, 4))
        bytes.replaceSubrange(
            64..<88, with: [0x50, 0x45, 0, 0, 0x4C, 1, 1, 0] + [UInt8](repeating: 0, count: 12) + [224, 0, 2, 1])
        bytes.replaceSubrange(88..<90, with: [0x0B, 1])
        let table = 88 + 224
        bytes.replaceSubrange((table + 16)..<(table + 24), with: little(112, 4) + little(400, 4))
        return bytes
    }

    @Test func programInAnImage() {
        #expect(children(png + program + Array("behind".utf8)) == [program])
    }

    @Test func programInAText() {
        let junk = Array("this is a text, and MZ stands in it; PE too.\r\n".utf8)
        #expect(children(junk + program, declared: "text/plain") == [program])
        #expect(children(junk).isEmpty)
    }

    @Test func severalFiles() throws {
        let cabinet = try sample("cab-stored.cab")
        let arj = try sample("arj.arj")
        let seven = try sample("7z-copy.7z")
        let all = children(png + cabinet + program + Array("....".utf8) + seven + arj)
        #expect(all == [cabinet, program, seven, arj])
    }

    @Test func programThatADropperCarries() {
        var outer = program
        outer.replaceSubrange((88 + 224 + 16)..<(88 + 224 + 24), with: little(112 + 600, 4) + little(400, 4))
        let bytes = outer + [UInt8](repeating: 0, count: 60) + program + [UInt8](repeating: 1, count: 200)
        #expect(children(bytes) == [program])
    }

    @Test func otherPrograms() {
        let elf =
            [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9) + [2, 0, 62, 0, 1]
            + [UInt8](repeating: 0, count: 100)
        #expect(children(png + elf) == [elf])
        let main: [UInt8] = [3, 1, 0, 0]
        let rar = [0x52, 0x61, 0x72, 0x21, 0x1A, 7, 1, 0] + little(crc(main), 4) + main
        #expect(children(png + rar + [9, 9]) == [rar + [9, 9]])
        var old: [UInt8] = [0x73, 0, 0, 13, 0, 0, 0, 0, 0, 0, 0]
        old = [0x52, 0x61, 0x72, 0x21, 0x1A, 7, 0] + little(crc(old) & 0xFFFF, 2) + old
        #expect(children(png + old) == [old])
    }

    /// Marks alone are no files.
    @Test func marksAlone() {
        let marks =
            Array("PE\0\0 Rar!\u{1A}\u{7}\u{1}\0 Rar!\u{1A}\u{7}\0 MSCF\0\0\0\0 ".utf8)
            + [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C, 0, 4] + [
                0x60, 0xEA, 40, 0, 0x7F, 0x45, 0x4C, 0x46, 0xCF, 0xFA, 0xED, 0xFE,
            ]
        for count in 1...20 {
            #expect(children(png + Array(repeatElement(marks, count: count).joined())).isEmpty)
        }
    }

    @Test func manyAreLimited() {
        let host = TrialHost(memory: 4 << 20)
        let bytes = png + Array(repeatElement(program, count: 100).joined())
        _ = bytes.withUnsafeBufferPointer { host.unpack(ByteView($0)) }
        #expect(host.children.count == 64)
        #expect(host.exceeded == [EM_BUDGET_OBJECTS])
    }
}
