import BytesE

/// A Portable Executable as ClamAV lays it out, which is what its signatures mean by sections and entry points.
///
/// Differs from what the headers say: sections are widened to the alignments, ended at the file's end, and emptied when
/// they lie outside; what the header declares wrong makes the whole file one without sections and entry point.
package struct PELayout: Sendable {
    /// A section in the file, widened to the alignment.
    package struct Section: Sendable {
        /// From the image's base.
        package let address: UInt32
        package let virtualSize: UInt32
        /// Place and size in the file, inside it unless the size is 0: then nothing of it is there.
        package let offset: UInt32
        package let size: UInt32

        /// The bytes in the file.
        package var extent: Range<Int> { Int(offset)..<Int(offset) + Int(size) }
    }

    package let sections: [Section]
    /// Size of the headers, widened to the section alignment.
    package let headerSize: UInt32
    /// Where the first instruction lies in the file.
    package let entryPoint: Int
    /// Data directories that count: at most 16.
    package let directoryCount: Int
    package let addresses: PEAddresses

    /// nil when ClamAV would call the file broken: no sections, a section table or directories that do not fit, sizes
    /// of 2 GiB or more, an entry point outside.
    package init?(_ file: PEFile) {
        let header = file.header
        let size = file.bytes.count
        let optionalSize = Int(header.optionalHeaderSize)
        let directories = Int(min(header.directoryCount, 16))
        guard header.sectionCount > 0, size <= Int(UInt32.max), optionalSize >= header.fixedOptionalSize,
            header.optionalHeader + header.fixedOptionalSize <= size,
            optionalSize >= header.fixedOptionalSize + 8 * directories,
            header.optionalHeader + header.fixedOptionalSize + 8 * directories <= size,
            file.sections.count == Int(header.sectionCount)
        else { return nil }
        let alignment = PELayout.fileAlignment(file)
        let headerSize = PELayout.up(header.sizeOfHeaders, header.sectionAlignment)
        var sections: [Section] = []
        sections.reserveCapacity(file.sections.count)
        var extents: [PEAddresses.Extent] = []
        for declared in file.sections {
            guard
                let section = Section(declared, alignment: alignment, virtual: header.sectionAlignment, fileSize: size)
            else { return nil }
            sections.append(section)
        }
        // The last section that holds an address counts.
        for section in sections.reversed() where section.size > 0 {
            extents.append(.init(address: section.address, size: section.size, offset: section.offset))
        }
        let addresses = PEAddresses(extents: extents, headerSize: headerSize, fileSize: size)
        guard let entryPoint = addresses.offset(of: header.entryPoint) else { return nil }
        self.sections = sections
        self.headerSize = headerSize
        self.entryPoint = entryPoint
        self.addresses = addresses
        directoryCount = directories
    }

    /// The declared one, but 512 when a section begins at a multiple of 512 that is none of the alignment.
    private static func fileAlignment(_ file: PEFile) -> UInt32 {
        let alignment = file.header.fileAlignment
        guard alignment != 0, alignment != 0x200 else { return alignment }
        let isOdd = file.sections.contains {
            $0.rawSize > 0 && $0.rawOffset % alignment != 0 && $0.rawOffset % 0x200 == 0
        }
        return isOdd ? 0x200 : alignment
    }

    /// The multiple of an alignment at or below; 0 aligns nothing.
    fileprivate static func down(_ value: UInt32, _ alignment: UInt32) -> UInt32 {
        alignment == 0 ? value : value - value % alignment
    }

    /// The multiple of an alignment at or above; what is beyond 4 GiB wraps.
    fileprivate static func up(_ value: UInt32, _ alignment: UInt32) -> UInt32 {
        guard alignment != 0, value % alignment != 0 else { return value }
        return down(value, alignment) &+ alignment
    }
}

extension PELayout.Section {
    /// nil when the section has a value that makes the file broken.
    fileprivate init?(_ declared: PESection, alignment: UInt32, virtual: UInt32, fileSize: Int) {
        let offset = PELayout.down(declared.rawOffset, alignment)
        var size = PELayout.up(declared.rawSize, alignment)
        var declaredSize = declared.rawSize
        if size > 0 {
            if Int(offset) >= fileSize || Int(declared.rawOffset) >= fileSize {
                size = 0
                declaredSize = 0
            } else {
                size = min(size, UInt32(fileSize) - offset)
                declaredSize = min(declaredSize, UInt32(fileSize) - declared.rawOffset)
            }
        }
        var virtualSize = PELayout.up(declared.virtualSize, virtual)
        if virtualSize == 0, size > 0 { virtualSize = PELayout.up(declaredSize, virtual) }
        guard declared.virtualAddress >> 31 == 0, declared.virtualSize >> 31 == 0,
            size == 0 || declared.rawOffset >> 31 == 0, declaredSize >> 31 == 0
        else { return nil }
        self.init(
            address: PELayout.down(declared.virtualAddress, virtual), virtualSize: virtualSize, offset: offset,
            size: size)
    }
}
