package import BytesE

/// A Portable Executable: its headers and section table, and where everything else begins.
///
/// Reads as much as there is: whether Windows or ClamAV would accept the file is said by `PELayout` and by who asks.
package struct PEFile: Sendable {
    /// The file from its MZ header to its end.
    package let bytes: ByteView
    package let header: PEHeader
    /// The sections that the file has room for, in the order of the table.
    package let sections: [PESection]

    /// nil when the bytes do not begin with MZ and point to a PE header.
    package init?(_ bytes: ByteView) {
        guard let header = PEHeader(bytes) else { return nil }
        self.bytes = bytes
        self.header = header
        var sections: [PESection] = []
        var at = header.sectionTable
        for _ in 0..<header.sectionCount {
            guard let section = PESection(bytes, at: at) else { break }
            sections.append(section)
            at += PESection.size
        }
        self.sections = sections
    }

    /// A data directory: where a table lies (`address` from the image's base) and its bytes. nil when the header has
    /// no such entry.
    package func directory(_ directory: PEDirectory) -> (address: UInt32, size: UInt32)? {
        guard directory.rawValue < min(header.directoryCount, 16) else { return nil }
        let at = header.optionalHeader + header.fixedOptionalSize + 8 * Int(directory.rawValue)
        guard let address = bytes.load(UInt32.self, at: at), let size = bytes.load(UInt32.self, at: at + 4) else {
            return nil
        }
        return (address, size)
    }

    /// The bytes behind everything that the section table names, certificates included; empty when there are none.
    package var overlay: Range<Int> {
        var end = min(bytes.count, header.sectionTable + sections.count * PESection.size)
        for section in sections where section.rawSize > 0 {
            end = max(end, min(bytes.count, Int(section.rawOffset) + Int(section.rawSize)))
        }
        return end..<bytes.count
    }

    /// A text that ends with a zero byte, without it; nil when there is none within `limit` bytes.
    func text(at offset: Int, limit: Int) -> ByteView? {
        guard offset >= 0, offset < bytes.count else { return nil }
        let part = bytes.slice(offset, offset + limit + 1)
        return part.firstIndex(of: 0).map { part.prefix($0) }
    }
}

/// The data directories (PE/COFF specification, 3.4.3).
package enum PEDirectory: UInt32, Sendable {
    case exports, imports, resources, exceptions
    /// Its address is a place in the file.
    case certificates
    case relocations, debug, architecture, globalPointer, threadStorage, loadConfiguration, boundImports
    case importAddresses, delayedImports, runtimeHeader, reserved
}

/// An entry of the section table (PE/COFF specification, chapter 4), as declared.
package struct PESection: Sendable {
    /// Bytes of an entry.
    package static let size = 40

    /// The name without padding, at most eight bytes: "/n" is an index into the symbols' strings.
    package let name: ByteView
    package let virtualSize: UInt32
    package let virtualAddress: UInt32
    package let rawSize: UInt32
    package let rawOffset: UInt32
    package let relocations: UInt32
    package let lineNumbers: UInt32
    package let relocationCount: UInt16
    package let lineNumberCount: UInt16
    package let characteristics: UInt32

    init?(_ bytes: ByteView, at offset: Int) {
        guard offset >= 0, offset <= bytes.count - PESection.size else { return nil }
        let fields = Fields(bytes: bytes, start: offset)
        let padded = bytes.slice(offset, offset + 8)
        name = padded.prefix(padded.firstIndex(of: 0) ?? 8)
        virtualSize = fields.long(8)
        virtualAddress = fields.long(12)
        rawSize = fields.long(16)
        rawOffset = fields.long(20)
        relocations = fields.long(24)
        lineNumbers = fields.long(28)
        relocationCount = fields.half(32)
        lineNumberCount = fields.half(34)
        characteristics = fields.long(36)
    }
}
