import BytesE
import CModuleABI

/// Where the entry point and the sections of an executable lie in the file.
///
/// Only what patterns with EP and S offsets need; read from hostile files, so everything absent or odd is left out.
struct ExecutableLayout {
    /// Offset of the first instruction.
    private(set) var entry: Int?
    /// Extents of the sections in the file, in the order of the header.
    private(set) var sections: [Range<Int>] = []

    /// Windows itself loads no more than 96 sections; linkers write a few hundred at most.
    private static let sectionLimit = 1024

    init(_ object: ByteView, target: UInt32) {
        switch target {
        case EM_TARGET_PE: readPE(object)
        case EM_TARGET_ELF: readELF(object)
        default: break
        }
    }

    /// PE/COFF specification, 3.1 to 4: signature, file header, optional header, section table.
    private mutating func readPE(_ object: ByteView) {
        guard let lfanew = object.load(UInt32.self, at: 0x3c), object.load(UInt32.self, at: Int(lfanew)) == 0x4550
        else { return }
        let header = Int(lfanew) + 4
        guard let count = object.load(UInt16.self, at: header + 2),
            let optionalSize = object.load(UInt16.self, at: header + 16),
            let entryAddress = object.load(UInt32.self, at: header + 20 + 16)
        else { return }
        let table = header + 20 + Int(optionalSize)
        for i in 0..<min(Int(count), Self.sectionLimit) {
            let at = table + i * 40
            guard let virtualSize = object.load(UInt32.self, at: at + 8),
                let address = object.load(UInt32.self, at: at + 12),
                let size = object.load(UInt32.self, at: at + 16),
                let offset = object.load(UInt32.self, at: at + 20)
            else { break }
            // The loader rounds the file offset down to 512.
            let start = Int(offset & ~511)
            let extent = start..<start + Int(size)
            sections.append(extent.clamped(to: 0..<object.count))
            let delta = Int(entryAddress) - Int(address)
            if entry == nil, delta >= 0, delta < Int(max(virtualSize, size)), start + delta < object.count {
                entry = start + delta
            }
        }
        // Before the first section, addresses are file offsets.
        if entry == nil, Int(entryAddress) < object.count { entry = Int(entryAddress) }
    }

    /// System V ABI, chapter 4 and 5: both classes and byte orders.
    private mutating func readELF(_ object: ByteView) {
        guard object.loadBigEndian(UInt32.self, at: 0) == 0x7f45_4c46, object.count > 6 else { return }
        let wide = object[4] == 2
        let file = ELFFields(object: object, wide: wide, big: object[5] == 2)
        guard let entryAddress = file.word(at: 24), let segments = file.word(at: wide ? 32 : 28),
            let sectionTable = file.word(at: wide ? 40 : 32), let segmentSize = file.half(at: wide ? 54 : 42),
            let segmentCount = file.half(at: wide ? 56 : 44), let sectionSize = file.half(at: wide ? 58 : 46),
            let sectionCount = file.half(at: wide ? 60 : 48)
        else { return }
        for i in 0..<min(segmentCount, Self.sectionLimit) {
            let at = segments &+ i &* segmentSize
            guard file.long(at: at) == 1, let offset = file.word(at: at &+ (wide ? 8 : 4)),
                let address = file.word(at: at &+ (wide ? 16 : 8)), let size = file.word(at: at &+ (wide ? 32 : 16))
            else { continue }
            let delta = entryAddress &- address
            if delta >= 0, delta < size, offset <= object.count, delta < object.count - offset {
                entry = offset + delta
                break
            }
        }
        for i in 0..<min(sectionCount, Self.sectionLimit) {
            let at = sectionTable &+ i &* sectionSize
            guard let kind = file.long(at: at &+ 4), let offset = file.word(at: at &+ (wide ? 24 : 16)),
                let size = file.word(at: at &+ (wide ? 32 : 20))
            else { break }
            let start = min(offset, object.count)
            // SHT_NOBITS has no bytes in the file.
            sections.append(start..<start + (kind == 8 ? 0 : min(size, object.count - start)))
        }
    }
}

/// Fields of an ELF file in its own class and byte order; nil for what lies outside or is beyond any file.
private struct ELFFields {
    let object: ByteView
    let wide, big: Bool

    func half(at offset: Int) -> Int? {
        (big ? object.loadBigEndian(UInt16.self, at: offset) : object.load(UInt16.self, at: offset)).map { Int($0) }
    }

    func long(at offset: Int) -> Int? {
        (big ? object.loadBigEndian(UInt32.self, at: offset) : object.load(UInt32.self, at: offset)).map { Int($0) }
    }

    /// An address or offset: 4 bytes in class 32, 8 in class 64.
    func word(at offset: Int) -> Int? {
        guard wide else { return long(at: offset) }
        let value = big ? object.loadBigEndian(UInt64.self, at: offset) : object.load(UInt64.self, at: offset)
        return value.flatMap { $0 <= UInt64(Int.max) ? Int($0) : nil }
    }
}
