package import BytesE

/// An entry of the debug directory (PE/COFF specification, 5.1.1).
package struct PEDebugEntry: Sendable {
    package let timestamp: UInt32
    package let type: UInt32
    package let size: UInt32
    package let address: UInt32
    /// In the file.
    package let offset: UInt32
}

extension PEFile {
    private static let debugLimit = 64
    private static let codeView: UInt32 = 2

    package func debugEntries(_ addresses: PEAddresses) -> [PEDebugEntry] {
        guard let table = directory(.debug), let start = addresses.offset(of: table.address) else { return [] }
        var entries: [PEDebugEntry] = []
        for number in 0..<min(Int(table.size) / 28, PEFile.debugLimit) {
            let fields = Fields(bytes: bytes, start: start + 28 * number)
            guard fields.start <= bytes.count - 28 else { break }
            entries.append(
                PEDebugEntry(
                    timestamp: fields.long(4), type: fields.long(12), size: fields.long(16), address: fields.long(20),
                    offset: fields.long(24)))
        }
        return entries
    }

    /// Where the linker wrote the symbols: the path of the first CodeView record, or nil.
    package func debugPath(_ addresses: PEAddresses) -> ByteView? {
        for entry in debugEntries(addresses) where entry.type == PEFile.codeView {
            let mapped = entry.address != 0 ? addresses.offset(of: entry.address) : nil
            let start = mapped ?? Int(entry.offset)
            // The signature, then an identity, then the path: "RSDS" with 20 bytes, "NB10" with 12.
            switch bytes.load(UInt32.self, at: start) {
            case 0x5344_5352: return text(at: start + 24, limit: 1024)
            case 0x3031_424e: return text(at: start + 16, limit: 1024)
            default: continue
            }
        }
        return nil
    }
}
