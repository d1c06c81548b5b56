import CElf
import CModuleABI
import Glibc
import Platform

/// Everything of a data module that lies before its data, laid out by us and written by libelf.
///
/// One PT_LOAD, read-only, covers the whole file, so an address is a file offset. glibc applies no relocations to
/// a dynamic section in a segment that is not writable, hence PT_DYNAMIC has PF_R alone; without PT_GNU_STACK
/// it would make the stacks of the process executable.
struct ModuleHead {
    /// From the file's first byte up to the data.
    let bytes: [UInt8]
    /// File offset of the signature.
    let signatureOffset: UInt64

    private static let page: UInt64 = 4096
    private static let fixedSize: UInt64 = 2048
    private static let symbol = "em_module_data"

    /// How much room the head takes.
    static func size(manifest: Int) -> UInt64 {
        (fixedSize + UInt64(manifest) + page - 1) & ~(page - 1)
    }

    init(manifest: [UInt8], dataOffset: UInt64, dataSize: UInt64) throws(DataModuleError) {
        // Layout: ELF header, 4 program headers, then the pieces in order.
        var layout = Layout(at: 64 + 4 * 56)
        let manifestNote = layout.add(
            ".note.esets.manifest", SHT_NOTE, Self.note(EM_NOTE_MANIFEST, manifest), align: 4)
        let signatureNote = layout.add(
            ".note.esets.signature", SHT_NOTE,
            Self.note(EM_NOTE_SIGNATURE, [UInt8](repeating: 0, count: Int(EM_SIGNATURE_SIZE))), align: 4)
        let names = [0] + Array(Self.symbol.utf8) + [0]
        // One bucket that begins with symbol 1, and its chain ends there.
        let hash = layout.add(".hash", SHT_HASH, Self.words([1, 2, 1, 0, 0]), align: 8, link: 4, entry: 4)
        let symbols = layout.add(
            ".dynsym", SHT_DYNSYM, Self.symbols(at: dataOffset, size: dataSize), align: 8, link: 5, info: 1, entry: 24)
        let strings = layout.add(".dynstr", SHT_STRTAB, names, align: 1)
        let dynamic = layout.add(
            ".dynamic", SHT_DYNAMIC,
            Self.longs([
                UInt64(DT_HASH), layout.pieces[hash].offset, UInt64(DT_STRTAB), layout.pieces[strings].offset,
                UInt64(DT_SYMTAB), layout.pieces[symbols].offset, UInt64(DT_STRSZ), UInt64(names.count),
                UInt64(DT_SYMENT), 24, UInt64(DT_NULL), 0,
            ]), align: 8, link: 5, entry: 16)
        let data = layout.addData(".rodata", offset: dataOffset, size: dataSize)
        let sectionNames = layout.addNames()
        let tableOffset = (layout.next + 7) & ~7
        guard tableOffset + UInt64(layout.pieces.count + 1) * 64 <= dataOffset else {
            throw DataModuleError("the manifest is too long")
        }
        let first = layout.pieces[manifestNote]
        let second = layout.pieces[signatureNote]
        signatureOffset = second.offset + 12 + 8
        let dynamicPiece = layout.pieces[dynamic]
        let segments = [
            Segment(PT_LOAD, offset: 0, size: dataOffset + dataSize, align: Self.page),
            Segment(PT_DYNAMIC, offset: dynamicPiece.offset, size: dynamicPiece.size, align: 8),
            Segment(PT_NOTE, offset: first.offset, size: second.offset + second.size - first.offset, align: 4),
            Segment(PT_GNU_STACK, offset: 0, size: 0, align: 16),
        ]
        precondition(data == 7, "the data is section 7, as its symbol says")
        bytes = try ElfImage.head(
            layout, segments: segments, sectionTable: tableOffset, namesSection: sectionNames, size: Int(dataOffset))
    }

    private static func note(_ type: UInt32, _ content: [UInt8]) -> [UInt8] {
        let owner = Array(EM_NOTE_OWNER.utf8) + [0]
        var bytes = words([UInt32(owner.count), UInt32(content.count), type]) + owner
        while bytes.count % 4 != 0 { bytes.append(0) }
        bytes += content
        while bytes.count % 4 != 0 { bytes.append(0) }
        return bytes
    }

    /// The null symbol, and the data as a global object in section 7.
    private static func symbols(at offset: UInt64, size: UInt64) -> [UInt8] {
        let kind = UInt32(STB_GLOBAL << 4 | STT_OBJECT)
        return longs([0, 0, 0]) + words([1, kind | 7 << 16]) + longs([offset, size])
    }

    private static func words(_ values: [UInt32]) -> [UInt8] {
        values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) } }
    }

    private static func longs(_ values: [UInt64]) -> [UInt8] {
        values.flatMap { value in (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) } }
    }
}

/// A program header that is only read.
struct Segment {
    let type: UInt32
    let offset, size, align: UInt64

    init<T: BinaryInteger>(_ type: T, offset: UInt64, size: UInt64, align: UInt64) {
        self.type = UInt32(type)
        self.offset = offset
        self.size = size
        self.align = align
    }
}

/// Sections and where they lie.
struct Layout {
    /// One section.
    struct Piece {
        var type: UInt32
        var flags: UInt64
        var name: UInt32
        var offset, size, align, entry: UInt64
        var link, info: UInt32
        /// Empty for the data, which is written apart.
        var bytes: [UInt8]
    }

    /// Section n is pieces[n - 1]: section 0 is the null section.
    private(set) var pieces: [Piece] = []
    /// First free file offset.
    private(set) var next: UInt64
    private var names: [UInt8] = [0]

    init(at offset: UInt64) {
        next = offset
    }

    /// Places a section at the next aligned offset; returns its index in `pieces`.
    mutating func add<T: BinaryInteger>(
        _ name: String, _ type: T, _ bytes: [UInt8], align: UInt64, link: UInt32 = 0, info: UInt32 = 0,
        entry: UInt64 = 0
    ) -> Int {
        next = (next + align - 1) & ~(align - 1)
        pieces.append(
            Piece(
                type: UInt32(type), flags: UInt64(SHF_ALLOC), name: named(name), offset: next,
                size: UInt64(bytes.count), align: align, entry: entry, link: link, info: info, bytes: bytes))
        next += UInt64(bytes.count)
        return pieces.count - 1
    }

    /// Places the data; returns its section number.
    mutating func addData(_ name: String, offset: UInt64, size: UInt64) -> Int {
        pieces.append(
            Piece(
                type: UInt32(SHT_PROGBITS), flags: UInt64(SHF_ALLOC), name: named(name), offset: offset, size: size,
                align: 64, entry: 0, link: 0, info: 0, bytes: []))
        return pieces.count
    }

    /// Places the table of section names; returns its section number.
    mutating func addNames() -> Int {
        let name = named(".shstrtab")
        pieces.append(
            Piece(
                type: UInt32(SHT_STRTAB), flags: 0, name: name, offset: next, size: UInt64(names.count), align: 1,
                entry: 0, link: 0, info: 0, bytes: names))
        next += UInt64(names.count)
        return pieces.count
    }

    private mutating func named(_ name: String) -> UInt32 {
        defer { names += Array(name.utf8) + [0] }
        return UInt32(names.count)
    }
}
