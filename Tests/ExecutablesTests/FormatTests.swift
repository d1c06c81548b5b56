import BytesE
import Executables
import Testing

@Suite("Kinds of programs")
struct FormatTests {
    static let examples: [([UInt8], String)] = [
        ([0x7f, 0x45, 0x4c, 0x46, 2], "elf"), ([0xcf, 0xfa, 0xed, 0xfe, 7], "machO"),
        ([0xfe, 0xed, 0xfa, 0xce, 0], "machO"), ([0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 2], "universal"),
        // Java 8.
        ([0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 52], "nil"), (Array("MZ and nothing else".utf8), "dos"), ([0x4d], "nil"),
        ([0x5a, 0x4d] + [UInt8](repeating: 0, count: 60), "dos"), ([], "nil"),
    ]

    @Test(arguments: examples)
    func kinds(_ bytes: [UInt8], _ expected: String) {
        let format = bytes.withUnsafeBufferPointer { ExecutableFormat(ByteView($0)) }
        #expect(format.map { "\($0)" } ?? "nil" == expected)
    }
}
