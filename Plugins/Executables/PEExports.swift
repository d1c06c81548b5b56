package import BytesE

/// A function that a PE file exports.
package struct PEExport: Sendable {
    /// Its number, the base included.
    package let ordinal: UInt32
    /// nil when it is exported by number only.
    package let name: ByteView?
    /// From the image's base.
    package let address: UInt32
    /// The function of another library that it stands for: "library.function".
    package let forwarder: ByteView?
}

/// What a PE file says about its exports.
package struct PEExportTable: Sendable {
    /// The library's name as it was linked.
    package let libraryName: ByteView?
    package let timestamp: UInt32
    /// Functions that the table declares, and names.
    package let functionCount: UInt32
    package let nameCount: UInt32
    /// In the order of their numbers; functions without an address are left out.
    package let exports: [PEExport]
}

extension PEFile {
    /// Exported functions that are read.
    package static let exportLimit = 16_384

    /// The exports, or nil when the file has no export directory.
    package func exports(_ addresses: PEAddresses) -> PEExportTable? {
        guard let table = directory(.exports), table.address != 0, let start = addresses.offset(of: table.address),
            start <= bytes.count - 40
        else { return nil }
        let head = Fields(bytes: bytes, start: start)
        let base = head.long(16)
        let functions = min(Int(head.long(20)), PEFile.exportLimit)
        let names = min(Int(head.long(24)), PEFile.exportLimit)
        // Which name a function has: a function with several keeps the first.
        var nameOf = [UInt32](repeating: 0, count: functions)
        if let ordinals = addresses.offset(of: head.long(36)), let list = addresses.offset(of: head.long(32)) {
            for number in stride(from: names - 1, through: 0, by: -1) {
                guard let function = bytes.load(UInt16.self, at: ordinals + 2 * number), Int(function) < functions,
                    let name = bytes.load(UInt32.self, at: list + 4 * number)
                else { continue }
                nameOf[Int(function)] = name
            }
        }
        var exports: [PEExport] = []
        if let places = addresses.offset(of: head.long(28)) {
            for number in 0..<functions {
                guard let address = bytes.load(UInt32.self, at: places + 4 * number) else { break }
                guard address != 0 else { continue }
                let isForwarder = address >= table.address && address - table.address < table.size
                exports.append(
                    PEExport(
                        ordinal: base &+ UInt32(number),
                        name: nameOf[number] == 0 ? nil : text(nameOf[number], addresses),
                        address: address, forwarder: isForwarder ? text(address, addresses) : nil))
            }
        }
        return PEExportTable(
            libraryName: text(head.long(12), addresses), timestamp: head.long(4), functionCount: head.long(20),
            nameCount: head.long(24), exports: exports)
    }

    private func text(_ address: UInt32, _ addresses: PEAddresses) -> ByteView? {
        addresses.offset(of: address).flatMap { text(at: $0, limit: 512) }
    }
}
