import CElf
import Glibc
import Platform

/// libelf, as far as writing the head of a module needs it.
enum ElfImage {
    /// Makes the first `size` bytes of an ELF file.
    ///
    /// libelf writes files, so it writes one in memory; the data, which it is only told about, stays a hole in it.
    static func head(
        _ layout: Layout, segments: [Segment], sectionTable: UInt64, namesSection: Int, size: Int
    ) throws(DataModuleError) -> [UInt8] {
        guard elf_version(UInt32(EV_CURRENT)) != UInt32(EV_NONE) else { throw failure("elf_version") }
        let file: Descriptor
        do throws(SystemError) {
            file = try Descriptor.memory(name: "esets-module-head")
        } catch {
            throw DataModuleError(error)
        }
        guard let elf = elf_begin(file.raw, ELF_C_WRITE, nil) else { throw failure("elf_begin") }
        defer { elf_end(elf) }
        guard elf_flagelf(elf, ELF_C_SET, UInt32(ELF_F_LAYOUT)) & UInt32(ELF_F_LAYOUT) != 0 else {
            throw failure("elf_flagelf")
        }
        try setHeader(elf, sectionTable: sectionTable, namesSection: namesSection)
        try setSegments(elf, segments)
        // libelf keeps the pointers until elf_update, so each section's bytes get a place of their own.
        var places: [UnsafeMutableRawBufferPointer] = []
        defer { for place in places { place.deallocate() } }
        for piece in layout.pieces {
            let place = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, piece.bytes.count), alignment: 8)
            place.copyBytes(from: piece.bytes)
            places.append(place)
            try addSection(elf, piece, place)
        }
        guard elf_update(elf, ELF_C_WRITE) >= 0 else { throw failure("elf_update") }
        return try read(file, size)
    }

    private static func setHeader(_ elf: OpaquePointer, sectionTable: UInt64, namesSection: Int) throws(DataModuleError)
    {
        guard let header = elf64_newehdr(elf) else { throw failure("elf64_newehdr") }
        header.pointee.e_ident.5 = UInt8(ELFDATA2LSB)
        header.pointee.e_type = UInt16(ET_DYN)
        header.pointee.e_machine = machine
        header.pointee.e_version = UInt32(EV_CURRENT)
        header.pointee.e_phoff = 64
        header.pointee.e_shoff = sectionTable
        header.pointee.e_shstrndx = UInt16(namesSection)
    }

    /// The loader takes files of its own machine only.
    private static var machine: UInt16 {
        #if arch(arm64)
            UInt16(EM_AARCH64)
        #else
            UInt16(EM_X86_64)
        #endif
    }

    private static func setSegments(_ elf: OpaquePointer, _ segments: [Segment]) throws(DataModuleError) {
        guard let headers = elf64_newphdr(elf, segments.count) else { throw failure("elf64_newphdr") }
        for (index, segment) in segments.enumerated() {
            headers[index].p_type = segment.type
            headers[index].p_flags = UInt32(PF_R)
            headers[index].p_offset = segment.offset
            headers[index].p_vaddr = segment.offset
            headers[index].p_paddr = segment.offset
            headers[index].p_filesz = segment.size
            headers[index].p_memsz = segment.size
            headers[index].p_align = segment.align
        }
    }

    private static func addSection(
        _ elf: OpaquePointer, _ piece: Layout.Piece, _ place: UnsafeMutableRawBufferPointer
    ) throws(DataModuleError) {
        guard let section = elf_newscn(elf), let header = elf64_getshdr(section) else { throw failure("elf_newscn") }
        header.pointee.sh_name = piece.name
        header.pointee.sh_type = piece.type
        header.pointee.sh_flags = piece.flags
        header.pointee.sh_addr = piece.flags & UInt64(SHF_ALLOC) == 0 ? 0 : piece.offset
        header.pointee.sh_offset = piece.offset
        header.pointee.sh_size = piece.size
        header.pointee.sh_link = piece.link
        header.pointee.sh_info = piece.info
        header.pointee.sh_addralign = piece.align
        header.pointee.sh_entsize = piece.entry
        guard !piece.bytes.isEmpty else { return }
        guard let data = elf_newdata(section) else { throw failure("elf_newdata") }
        data.pointee.d_buf = place.baseAddress
        // The bytes are in the file's form already.
        data.pointee.d_type = ELF_T_BYTE
        data.pointee.d_size = piece.bytes.count
        data.pointee.d_off = 0
        data.pointee.d_align = Int(piece.align)
        data.pointee.d_version = UInt32(EV_CURRENT)
    }

    private static func read(_ file: Descriptor, _ size: Int) throws(DataModuleError) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: size)
        var problem: SystemError?
        result.withUnsafeMutableBytes { buffer in
            do throws(SystemError) { _ = try file.read(at: 0, into: buffer) } catch { problem = error }
        }
        if let problem { throw DataModuleError(problem) }
        return result
    }

    private static func failure(_ call: String) -> DataModuleError {
        let reason = elf_errmsg(elf_errno()).map { String(cString: $0) } ?? "unknown error"
        return DataModuleError("\(call): \(reason)")
    }
}
