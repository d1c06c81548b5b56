import BytesE
import CompoundFiles
import Testing

@testable import Heuristics

private func facts(_ bytes: [UInt8]) -> MacroFacts? {
    bytes.withUnsafeBufferPointer { buffer in CompoundFile(ByteView(buffer)).map { MacroFacts($0) } }
}

@Suite struct MacroTests {
    @Test func theExampleOfTheSpecificationIsExpanded() {
        let packed: [UInt8] = [
            0x01, 0x2f, 0xb0, 0x00, 0x23, 0x61, 0x61, 0x61, 0x62, 0x63, 0x64, 0x65, 0x82, 0x66, 0x00, 0x70, 0x61, 0x67,
            0x68, 0x69, 0x6a, 0x01, 0x38, 0x08, 0x61, 0x6b, 0x6c, 0x00, 0x30, 0x6d, 0x6e, 0x6f, 0x70, 0x06, 0x71, 0x02,
            0x70, 0x04, 0x10, 0x72, 0x73, 0x74, 0x75, 0x76, 0x10, 0x77, 0x78, 0x79, 0x7a, 0x00, 0x3c,
        ]
        let text = packed.withUnsafeBufferPointer { decompressedMacros(ByteView($0), limit: 4096) }
        #expect(String(decoding: text, as: UTF8.self) == "#aaabcdefaaaaghijaaaaaklaaamnopqaaaaaaaaaaaarstuvwxyzaaa")
    }

    @Test func documentsWithAndWithoutMacros() {
        let plain = compoundFile([("WordDocument", [1, 2, 3])])
        #expect(facts(plain)?.hasProject == false)
        let source = "Attribute VB_Name = \"Module1\"\r\nSub Total()\r\nEnd Sub\r\n"
        let harmless = compoundFile([("_VBA_PROJECT", [0xcc]), ("dir", [1]), ("Module1", storedMacro(source))])
        #expect(facts(harmless)?.hasProject == true)
        #expect(facts(harmless)?.runsByItself == false)
    }

    @Test func macrosThatRunByThemselves() {
        let source =
            "Attribute VB_Name = \"ThisDocument\"\r\nPrivate Sub Document_Open()\r\n x = Shell(\"calc\")\r\nEnd Sub\r\n"
        let code = [UInt8](repeating: 0x11, count: 300)
        let document = compoundFile([("_VBA_PROJECT", [0xcc]), ("ThisDocument", code + storedMacro(source))])
        #expect(facts(document)?.runsByItself == true)
        #expect(facts(document)?.startsPrograms == true)
    }

    @Test func damageNeverTraps() {
        let source = "Attribute VB_Name = \"M\"\r\nSub AutoOpen()\r\nEnd Sub\r\n"
        let whole = compoundFile([("_VBA_PROJECT", [0xcc]), ("M", storedMacro(source))])
        var state: UInt64 = 88172645463325252
        for _ in 0..<300 {
            var damaged = whole
            for _ in 0..<6 {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                damaged[Int(state % UInt64(min(2048, damaged.count)))] = UInt8(truncatingIfNeeded: state >> 32)
            }
            _ = facts(Array(damaged.prefix(Int(state >> 40) % (damaged.count + 1))))
            _ = facts(damaged)
        }
        // A chain that leads to itself ends.
        var loop = whole
        loop[512 + 4] = 1
        loop[512 + 5] = 0
        _ = facts(loop)
    }
}
