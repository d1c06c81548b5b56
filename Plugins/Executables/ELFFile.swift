package import BytesE

/// An ELF file (System V ABI, chapters 4 and 5), of either class and byte order.
package struct ELFFile: Sendable {
    package let bytes: ByteView
    /// 64-bit.
    package let isWide: Bool
    package let isBigEndian: Bool

    package let type: UInt16
    package let machine: UInt16
    package let version: UInt32
    /// Address of the first instruction.
    package let entryAddress: UInt64
    package let segmentTable: UInt64
    package let sectionTable: UInt64
    package let flags: UInt32
    package let headerSize: UInt16
    package let segmentEntrySize: UInt16
    package let segmentCount: UInt16
    package let sectionEntrySize: UInt16
    package let sectionCount: UInt16
    /// Number of the section that holds the sections' names.
    package let sectionNames: UInt16

    /// nil when the bytes do not begin with a whole ELF header of a known class.
    package init?(_ bytes: ByteView) {
        guard bytes.loadBigEndian(UInt32.self, at: 0) == 0x7f45_4c46, bytes.count >= 52, bytes[4] == 1 || bytes[4] == 2,
            bytes[4] == 1 || bytes.count >= 64
        else { return nil }
        let wide = bytes[4] == 2
        let fields = OrderedFields(bytes: bytes, isBigEndian: bytes[5] != 1)
        self.bytes = bytes
        isWide = wide
        isBigEndian = bytes[5] != 1
        type = fields.half(at: 16)
        machine = fields.half(at: 18)
        version = fields.long(at: 20)
        entryAddress = fields.word(at: 24, wide: wide)
        segmentTable = fields.word(at: wide ? 32 : 28, wide: wide)
        sectionTable = fields.word(at: wide ? 40 : 32, wide: wide)
        let rest = wide ? 48 : 36
        flags = fields.long(at: rest)
        headerSize = fields.half(at: rest + 4)
        segmentEntrySize = fields.half(at: rest + 6)
        segmentCount = fields.half(at: rest + 8)
        sectionEntrySize = fields.half(at: rest + 10)
        sectionCount = fields.half(at: rest + 12)
        sectionNames = fields.half(at: rest + 14)
    }

    var fields: OrderedFields { OrderedFields(bytes: bytes, isBigEndian: isBigEndian) }

    /// Bytes of an entry of the segment table, and of the section table.
    var segmentSize: Int { isWide ? 56 : 32 }
    var sectionSize: Int { isWide ? 64 : 40 }

    /// The segments that the file has room for.
    package var segments: [ELFSegment] {
        table(segmentTable, count: segmentCount, stride: segmentEntrySize, size: segmentSize) {
            ELFSegment(fields, at: $0, wide: isWide)
        }
    }

    /// The sections that the file has room for.
    package var sections: [ELFSection] {
        table(sectionTable, count: sectionCount, stride: sectionEntrySize, size: sectionSize) {
            ELFSection(fields, at: $0, wide: isWide)
        }
    }

    private func table<Entry>(
        _ start: UInt64, count: UInt16, stride: UInt16, size: Int, _ read: (Int) -> Entry
    ) -> [Entry] {
        var entries: [Entry] = []
        guard Int(stride) >= size, start <= UInt64(bytes.count) else { return entries }
        var at = Int(start)
        for _ in 0..<count {
            guard at <= bytes.count - size else { break }
            entries.append(read(at))
            at += Int(stride)
        }
        return entries
    }

    /// The bytes of a section that has some in the file.
    package func content(of section: ELFSection) -> ByteView {
        guard section.type != ELFSection.noBits, section.offset <= UInt64(bytes.count) else { return ByteView() }
        let start = Int(section.offset)
        return bytes.slice(start, start + Int(min(section.size, UInt64(bytes.count - start))))
    }

    /// Where an address of the running program comes from in the file; nil when nothing of the file is there.
    package func offset(of address: UInt64) -> Int? {
        for segment in segments where segment.type == ELFSegment.load {
            let (delta, isBelow) = address.subtractingReportingOverflow(segment.address)
            guard !isBelow, delta < segment.fileSize, segment.offset <= UInt64(bytes.count),
                delta < UInt64(bytes.count) - segment.offset
            else { continue }
            return Int(segment.offset + delta)
        }
        return nil
    }
}

/// A segment: an entry of the program header table.
package struct ELFSegment: Sendable {
    package static let load: UInt32 = 1
    package static let dynamic: UInt32 = 2

    package let type: UInt32
    package let flags: UInt32
    /// In the file.
    package let offset: UInt64
    package let address: UInt64
    package let physicalAddress: UInt64
    package let fileSize: UInt64
    package let memorySize: UInt64
    package let alignment: UInt64

    init(_ fields: OrderedFields, at: Int, wide: Bool) {
        type = fields.long(at: at)
        flags = fields.long(at: at + (wide ? 4 : 24))
        offset = fields.word(at: at + (wide ? 8 : 4), wide: wide)
        address = fields.word(at: at + (wide ? 16 : 8), wide: wide)
        physicalAddress = fields.word(at: at + (wide ? 24 : 12), wide: wide)
        fileSize = fields.word(at: at + (wide ? 32 : 16), wide: wide)
        memorySize = fields.word(at: at + (wide ? 40 : 20), wide: wide)
        alignment = fields.word(at: at + (wide ? 48 : 28), wide: wide)
    }
}

/// An entry of the section header table.
package struct ELFSection: Sendable {
    package static let symbolTable: UInt32 = 2
    package static let dynamic: UInt32 = 6
    package static let noBits: UInt32 = 8
    package static let dynamicSymbols: UInt32 = 11

    /// Where its name begins in the section of names: see `ELFFile.name(of:)`.
    package let nameOffset: UInt32
    package let type: UInt32
    package let flags: UInt64
    package let address: UInt64
    /// In the file.
    package let offset: UInt64
    package let size: UInt64
    package let link: UInt32
    package let info: UInt32
    package let alignment: UInt64
    package let entrySize: UInt64

    init(_ fields: OrderedFields, at: Int, wide: Bool) {
        nameOffset = fields.long(at: at)
        type = fields.long(at: at + 4)
        flags = fields.word(at: at + 8, wide: wide)
        address = fields.word(at: at + (wide ? 16 : 12), wide: wide)
        offset = fields.word(at: at + (wide ? 24 : 16), wide: wide)
        size = fields.word(at: at + (wide ? 32 : 20), wide: wide)
        link = fields.long(at: at + (wide ? 40 : 24))
        info = fields.long(at: at + (wide ? 44 : 28))
        alignment = fields.word(at: at + (wide ? 48 : 32), wide: wide)
        entrySize = fields.word(at: at + (wide ? 56 : 36), wide: wide)
    }
}

/// Fields in one of the two byte orders; 0 for what lies outside.
struct OrderedFields: Sendable {
    let bytes: ByteView
    let isBigEndian: Bool

    func half(at offset: Int) -> UInt16 { load(UInt16.self, offset) }
    func long(at offset: Int) -> UInt32 { load(UInt32.self, offset) }
    func quad(at offset: Int) -> UInt64 { load(UInt64.self, offset) }

    /// An address or size: 8 bytes when wide, 4 otherwise.
    func word(at offset: Int, wide: Bool) -> UInt64 { wide ? quad(at: offset) : UInt64(long(at: offset)) }

    private func load<T: FixedWidthInteger>(_ type: T.Type, _ offset: Int) -> T {
        (isBigEndian ? bytes.loadBigEndian(type, at: offset) : bytes.load(type, at: offset)) ?? 0
    }
}
