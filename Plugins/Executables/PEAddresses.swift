import BytesE

/// Where addresses of a running image come from in its file.
///
/// Two readings are of use: that of the Windows loader, and that of ClamAV, by which its signatures were made.
package struct PEAddresses: Sendable {
    /// A run of the file that appears at an address.
    struct Extent: Sendable {
        let address, size, offset: UInt32
    }

    /// The first one that holds an address counts.
    private let extents: [Extent]
    /// Addresses below are places in the file.
    private let headerSize: UInt32
    private let fileSize: Int

    init(extents: [Extent], headerSize: UInt32, fileSize: Int) {
        self.extents = extents
        self.headerSize = headerSize
        self.fileSize = fileSize
    }

    /// Steps that a search may take.
    package var cost: Int { extents.count + 1 }

    /// The place in the file, inside it, or nil when nothing of the file is there.
    package func offset(of address: UInt32) -> Int? {
        if address < headerSize { return Int(address) < fileSize ? Int(address) : nil }
        for extent in extents where extent.address <= address && address - extent.address < extent.size {
            let place = Int(extent.offset) + Int(address - extent.address)
            return place < fileSize ? place : nil
        }
        return nil
    }
}

extension PEFile {
    /// Sections that the loader reading looks at: as many as Windows loaded before Vista.
    package static let loaderSectionLimit = 96

    /// Addresses as the Windows loader maps them: file offsets are rounded down to 512 bytes at most, the last section
    /// in the table whose address is not above counts, and what is below all sections is the file itself.
    package var addresses: PEAddresses {
        let alignment = min(header.fileAlignment, 0x200)
        var lowest = UInt32.max
        // Sorted by address, an address belongs to the last section that begins at or before it.
        var starts: [PEAddresses.Extent] = []
        for section in sections.prefix(PEFile.loaderSectionLimit) {
            lowest = min(lowest, section.virtualAddress)
            let offset = alignment > 0 ? section.rawOffset - section.rawOffset % alignment : section.rawOffset
            let extent = PEAddresses.Extent(address: section.virtualAddress, size: section.rawSize, offset: offset)
            var at = starts.count
            while at > 0, starts[at - 1].address > extent.address { at -= 1 }
            if at > 0, starts[at - 1].address == extent.address {
                starts[at - 1] = extent
            } else {
                starts.insert(extent, at: at)
            }
        }
        var extents: [PEAddresses.Extent] = []
        for (index, start) in starts.enumerated() {
            let room = index + 1 < starts.count ? starts[index + 1].address - start.address : UInt32.max
            extents.append(.init(address: start.address, size: min(start.size, room), offset: start.offset))
        }
        return PEAddresses(extents: extents, headerSize: lowest, fileSize: bytes.count)
    }
}
