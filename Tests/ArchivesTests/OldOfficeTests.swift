import BytesE
import CModuleABI
import Passwords
import Testing

@testable import Archives

/// The oldest encryption of Office; presentations are among the samples, the others in `OfficeEncryptionTests`.
@Suite struct OldOfficeTests {
    // MARK: Excel

    /// A workbook's stream of three records whose last is obfuscated with "VelvetSweatshop" by another implementation.
    private var workbook: [UInt8] {
        let bof: [UInt8] = [9, 8, 16, 0] + [UInt8](repeating: 0, count: 16)
        let pass: [UInt8] = [0x2F, 0, 6, 0, 0, 0, 0x59, 0xB3, 0x0A, 0x9A]
        return bof + pass + hidden
    }

    private let hidden: [UInt8] = [
        92, 0, 28, 0, 184, 0, 9, 199, 149, 108, 26, 109, 8, 78, 144, 109, 91, 141, 212, 131, 24, 43, 131, 5, 151, 206,
        147,
        110, 1, 12, 178, 197,
    ]

    @Test func obfuscatedWorkbook() {
        let plain = decrypted(workbook, "VelvetSweatshop")
        #expect(plain.map { text(Array($0.suffix(28))) } == "a text that nobody shall see")
        #expect(plain?.prefix(30).elementsEqual(workbook.prefix(30)) == true)
    }

    @Test func anotherPassword() {
        for password in ["", "VelvetSweatshoq", "a password that is much longer"] {
            #expect(decrypted(workbook, password) == nil)
        }
    }

    private func decrypted(_ stream: [UInt8], _ password: String) -> [UInt8]? {
        stream.withUnsafeBufferPointer { buffer in
            let records = SheetRecords(ByteView(buffer))
            guard let pad = records.obfuscation?.pad(Array(password.utf8)) else { return nil }
            var reader = records
            return (0..<stream.count).map { place in
                let isPlain = reader.isPlain(place)
                return isPlain ? stream[place] : SheetObfuscation.plain(stream[place], place, reader.contentSize, pad)
            }
        }
    }
}
