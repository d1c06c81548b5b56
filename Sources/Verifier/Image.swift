import CElf

#if MODULE_WORLD
    package import BytesE
#else
    package import Bytes
#endif

/// The ELF image of a module, as far as the loader of the system looks at it: program headers and the
/// dynamic section. Section headers are not consulted, because ld.so does not consult them either.
///
/// The constructor refuses whatever is not a 64-bit little-endian shared object of this machine, or
/// has headers that point outside the file.
package struct Image {
    package struct Segment {
        package let type: UInt32
        package let flags: UInt32
        package let offset: UInt64
        package let address: UInt64
        package let fileSize: UInt64
        package let memorySize: UInt64
        package let alignment: UInt64

        package var isReadable: Bool { flags & 4 != 0 }
        package var isWritable: Bool { flags & 2 != 0 }
        package var isExecutable: Bool { flags & 1 != 0 }
    }

    package let bytes: ByteView
    package let segments: [Segment]
    /// Entries of PT_DYNAMIC up to DT_NULL.
    package let dynamic: [(tag: Int64, value: UInt64)]

    /// More segments than any compiler makes are refused.
    private static let maximumSegments = 64
    private static let maximumDynamicEntries = 256

    package init(_ bytes: ByteView) throws(Refusal) {
        self.bytes = bytes
        try Self.checkHeader(bytes)
        segments = try Self.readSegments(bytes)
        dynamic = try Self.readDynamic(bytes, segments)
    }

    private static func checkHeader(_ bytes: ByteView) throws(Refusal) {
        guard bytes.count >= 64, bytes.loadBigEndian(UInt32.self, at: 0) == 0x7f45_4c46 else {
            throw Refusal("elf", "not an ELF file")
        }
        guard bytes[4] == UInt8(ELFCLASS64), bytes[5] == UInt8(ELFDATA2LSB), bytes[6] == UInt8(EV_CURRENT) else {
            throw Refusal("elf", "not a 64-bit little-endian ELF file")
        }
        guard bytes.load(UInt16.self, at: 16) == UInt16(ET_DYN) else { throw Refusal("elf", "not a shared object") }
        guard bytes.load(UInt16.self, at: 18) == machine else { throw Refusal("elf", "made for another machine") }
    }

    private static var machine: UInt16 {
        #if arch(arm64)
            UInt16(EM_AARCH64)
        #else
            UInt16(EM_X86_64)
        #endif
    }

    private static func readSegments(_ bytes: ByteView) throws(Refusal) -> [Segment] {
        guard elf_version(UInt32(EV_CURRENT)) != UInt32(EV_NONE), let base = bytes.buffer.baseAddress,
            // libelf wants a mutable pointer, and does not write to an image of this byte order.
            let elf = elf_memory(
                UnsafeMutableRawPointer(mutating: base).assumingMemoryBound(to: CChar.self), bytes.count)
        else { throw Refusal("elf", "libelf cannot read it") }
        defer { elf_end(elf) }
        var count = 0
        // libelf also knows files with more headers than e_phnum can say; ld.so believes e_phnum.
        guard elf_getphdrnum(elf, &count) == 0, count > 0, count <= maximumSegments,
            bytes.load(UInt16.self, at: 54) == 56, bytes.load(UInt16.self, at: 56) == UInt16(count)
        else { throw Refusal("segments", "the number of program headers is not plausible") }
        var segments: [Segment] = []
        for index in 0..<count {
            var header = GElf_Phdr()
            guard gelf_getphdr(elf, Int32(index), &header) != nil else {
                throw Refusal("segments", "a program header cannot be read")
            }
            let segment = Segment(
                type: header.p_type, flags: header.p_flags, offset: header.p_offset, address: header.p_vaddr,
                fileSize: header.p_filesz, memorySize: header.p_memsz, alignment: header.p_align)
            guard segment.offset <= UInt64(bytes.count), segment.fileSize <= UInt64(bytes.count) - segment.offset,
                segment.fileSize <= segment.memorySize || segment.type != UInt32(PT_LOAD),
                segment.memorySize <= 1 << 46, segment.address <= 1 << 46
            else { throw Refusal("segments", "a segment lies outside the file") }
            segments.append(segment)
        }
        return segments
    }

    private static func readDynamic(
        _ bytes: ByteView, _ segments: [Segment]
    ) throws(Refusal) -> [(tag: Int64, value: UInt64)] {
        var found: Segment?
        for segment in segments where segment.type == UInt32(PT_DYNAMIC) {
            guard found == nil else { throw Refusal("dynamic", "more than one dynamic section") }
            found = segment
        }
        guard let found else { throw Refusal("dynamic", "no dynamic section") }
        var entries: [(tag: Int64, value: UInt64)] = []
        var offset = Int(found.offset)
        let end = offset + Int(found.fileSize)
        while offset + 16 <= end {
            guard let tag = bytes.load(Int64.self, at: offset), let value = bytes.load(UInt64.self, at: offset + 8)
            else { break }
            if tag == 0 { return entries }
            guard entries.count < maximumDynamicEntries else {
                throw Refusal("dynamic", "the dynamic section is not plausible")
            }
            entries.append((tag, value))
            offset += 16
        }
        throw Refusal("dynamic", "the dynamic section has no end")
    }

    // MARK: Questions

    /// The value of the only entry with a tag; nil when there is none.
    package func value(of tag: Int64) -> UInt64? {
        for entry in dynamic where entry.tag == tag { return entry.value }
        return nil
    }

    /// The file bytes that a loaded address range comes from; nil when it is not wholly backed by the file.
    package func loaded(_ address: UInt64, _ size: UInt64) -> ByteView? {
        for segment in segments where segment.type == UInt32(PT_LOAD) {
            guard address >= segment.address, address - segment.address <= segment.fileSize,
                size <= segment.fileSize - (address - segment.address)
            else { continue }
            let start = Int(segment.offset + (address - segment.address))
            return bytes.slice(start, start + Int(size))
        }
        return nil
    }

    /// A string of the dynamic string table, without its NUL.
    package func string(_ index: UInt64) -> ByteView? {
        guard let table = value(of: Int64(DT_STRTAB)), let size = value(of: Int64(DT_STRSZ)), index < size,
            let strings = loaded(table, size), let end = strings.firstIndex(of: 0, from: Int(index))
        else { return nil }
        return strings.slice(Int(index), end)
    }

    /// The names of the libraries that it needs.
    package var neededLibraries: [ByteView] {
        var names: [ByteView] = []
        for entry in dynamic where entry.tag == Int64(DT_NEEDED) {
            if let name = string(entry.value) { names.append(name) }
        }
        return names
    }
}
