import Bytes
import CElf
import CModuleABI
import DataModule
import Foundation
import Glibc
import Platform
import Testing

/// A module in a temporary folder, removed with the object.
private final class ModuleFile {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "esets-datamodule-\(UUID().uuidString).dat"
    }

    deinit { unlink(path) }
}

private let manifest = DataManifest(
    id: "em002.signatures", file: "em002", version: "2026112101", description: "Virus signature database")

private func database(_ sections: [DatabaseSection]) -> CompiledDatabase {
    CompiledDatabase(
        kind: UInt32(EM_DATABASE_SIGNATURES), format: 1, version: 7, signatures: 2, sections: sections)
}

private let sample = database([
    DatabaseSection(1, version: 1, [1, 2, 3] as [UInt32]),
    DatabaseSection(2, version: 1, count: 5, [.init([1, 2] as [UInt8]), .init([3, 4, 5] as [UInt8])]),
])

@Suite("Data module")
struct DataModuleTests {
    @Test("dlsym finds exactly the data")
    func loads() throws {
        let file = ModuleFile()
        try DataModule.write(sample, manifest: manifest, to: file.path)
        let module = try LoadedData(path: file.path)
        let expected = try sample.bytes()
        #expect(module.copy() == expected)
    }

    @Test("sections lie on cache lines and the header tells where")
    func header() throws {
        let bytes = try sample.bytes()
        let header = bytes.withUnsafeBytes { $0.loadUnaligned(as: em_database_header.self) }
        #expect(header.magic == EM_DATABASE_MAGIC)
        #expect(header.size == UInt64(bytes.count))
        #expect(header.section_count == 2)
        let section = bytes.withUnsafeBytes {
            $0.loadUnaligned(fromByteOffset: 48 + 32, as: em_database_section.self)
        }
        #expect(section.id == 2 && section.count == 5 && section.length == 5 && section.offset % 64 == 0)
        #expect(Array(bytes[Int(section.offset)...]) == [1, 2, 3, 4, 5])
    }

    @Test("the same input gives the same bytes")
    func reproducible() throws {
        let (a, b) = (ModuleFile(), ModuleFile())
        try DataModule.write(sample, manifest: manifest, to: a.path)
        try DataModule.write(sample, manifest: manifest, to: b.path)
        #expect(try Files.read(a.path) == Files.read(b.path))
    }

    @Test("nothing in it that a loader would act upon")
    func structure() throws {
        let file = ModuleFile()
        try DataModule.write(sample, manifest: manifest, to: file.path)
        let elf = try ElfFile(path: file.path)
        #expect(elf.segments.map(\.p_type) == [1, 2, 4, 0x6474_e551])
        #expect(elf.segments.allSatisfy { $0.p_flags == UInt32(PF_R) && $0.p_filesz == $0.p_memsz })
        #expect(elf.segments[0].p_filesz == UInt64(elf.size))
        #expect(elf.dynamicTags.sorted() == [4, 5, 6, 10, 11])
        #expect(elf.sectionNames.sorted().last == ".shstrtab")
        #expect(elf.sectionNames.contains(".rodata"))
    }

    @Test("the notes hold manifest and an empty signature")
    func notes() throws {
        let file = ModuleFile()
        try DataModule.write(sample, manifest: manifest, to: file.path)
        let elf = try ElfFile(path: file.path)
        let text = try #require(elf.notes[UInt32(EM_NOTE_MANIFEST)])
        #expect(
            String(decoding: text, as: UTF8.self) == """
                id=em002.signatures
                file=em002
                version=2026112101
                kind=data
                abi=1.0
                description=Virus signature database

                """)
        #expect(elf.notes[UInt32(EM_NOTE_SIGNATURE)] == [UInt8](repeating: 0, count: 72))
    }

    @Test("finish tells where the signature goes")
    func signaturePlace() throws {
        let file = ModuleFile()
        let descriptor = try Descriptor.open(file.path, O_RDWR | O_CREAT)
        let writer = try DataModuleWriter(file: descriptor, manifest: manifest)
        try writer.append([9])
        let offset = try writer.finish()
        let mark = [UInt8](repeating: 0xab, count: 72)
        #expect(pwrite(descriptor.raw, mark, 72, off_t(offset)) == 72)
        #expect(try ElfFile(path: file.path).notes[UInt32(EM_NOTE_SIGNATURE)] == mark)
    }

    @Test("a long manifest makes room for itself")
    func longManifest() throws {
        let file = ModuleFile()
        var long = manifest
        long.description = String(repeating: "x", count: 10_000)
        try DataModule.write(sample, manifest: long, to: file.path)
        let module = try LoadedData(path: file.path)
        let expected = try sample.bytes()
        #expect(module.copy() == expected)
    }

    @Test("a line break in the manifest cannot forge a key")
    func forgedManifest() {
        var forged = manifest
        forged.description = "x\nkind=code"
        let file = ModuleFile()
        #expect(throws: DataModuleError.self) { try DataModule.write(sample, manifest: forged, to: file.path) }
        #expect(!Files.exists(file.path))
    }

    @Test("a module without data is refused")
    func empty() throws {
        let file = ModuleFile()
        let writer = try DataModuleWriter(
            file: Descriptor.open(file.path, O_RDWR | O_CREAT), manifest: manifest)
        #expect(throws: DataModuleError.self) { try writer.finish() }
    }

    @Test("replacing leaves the mapped file alone")
    func replacing() throws {
        let file = ModuleFile()
        try DataModule.write(sample, manifest: manifest, to: file.path)
        let old = try LoadedData(path: file.path)
        let before = old.copy()
        try DataModule.write(
            database([DatabaseSection(1, version: 1, [9] as [UInt8])]), manifest: manifest, to: file.path)
        #expect(old.copy() == before)
    }

    /// Resident memory is counted in pages of the mapping itself, so other tests do not disturb it.
    @Test("loading a large module touches a few pages only")
    func large() throws {
        let file = ModuleFile()
        let descriptor = try Descriptor.open(file.path, O_RDWR | O_CREAT)
        let writer = try DataModuleWriter(file: descriptor, manifest: manifest)
        try writer.append([1])
        writer.align(to: 4096)
        let chunk = [UInt8](repeating: 7, count: 1 << 20)
        for _ in 0..<64 { try writer.append(chunk) }
        _ = try writer.finish()
        let module = try LoadedData(path: file.path)
        let resident = try residentKilobytes(of: file.path)
        #expect(module.count == 4096 + 64 << 20)
        #expect(module.lastByte == 7)
        #expect(resident > 0 && resident < 4096)
    }
}

/// Rss of a file's mappings, from /proc/self/smaps.
private func residentKilobytes(of path: String) throws -> Int {
    var total = 0
    var inside = false
    for line in try Files.text("/proc/self/smaps").split(separator: "\n") {
        if line.contains("-"), line.contains(" r") { inside = line.hasSuffix(Files.name(of: path)) }
        if inside, line.hasPrefix("Rss:") { total += Int(line.split(separator: " ")[1]) ?? 0 }
    }
    return total
}

/// The data of a module loaded with dlopen, as the host does it.
private final class LoadedData {
    private let bytes: UnsafeRawBufferPointer
    private let handle: UnsafeMutableRawPointer

    struct Failure: Error { let reason: String }

    init(path: String) throws {
        guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL), let start = dlsym(handle, "em_module_data") else {
            throw Failure(reason: dlerror().map { String(cString: $0) } ?? "")
        }
        self.handle = handle
        let header = start.loadUnaligned(as: em_database_header.self)
        // Not every test's data has a header: then the symbol says the size.
        let size = header.magic == EM_DATABASE_MAGIC ? Int(header.size) : try ElfFile(path: path).dataSize
        bytes = UnsafeRawBufferPointer(start: start, count: size)
    }

    /// Copies, because nothing that points into the module may outlive it.
    func copy() -> [UInt8] { Array(bytes) }
    var count: Int { bytes.count }
    var lastByte: UInt8? { bytes.last }

    deinit { dlclose(handle) }
}

/// What libelf reads in a file.
private struct ElfFile {
    var segments: [Elf64_Phdr] = []
    var dynamicTags: [Int64] = []
    var sectionNames: [String] = []
    var notes: [UInt32: [UInt8]] = [:]
    var dataSize = 0
    let size: Int

    struct Failure: Error {}

    init(path: String) throws {
        let file = try Descriptor.open(path, O_RDONLY)
        size = Int(try file.size())
        _ = elf_version(UInt32(EV_CURRENT))
        guard let elf = elf_begin(file.raw, ELF_C_READ, nil) else { throw Failure() }
        defer { elf_end(elf) }
        var count = 0
        guard elf_getphdrnum(elf, &count) == 0, let headers = elf64_getphdr(elf) else { throw Failure() }
        segments = (0..<count).map { headers[$0] }
        var names = 0
        guard elf_getshdrstrndx(elf, &names) == 0 else { throw Failure() }
        var section = elf_nextscn(elf, nil)
        while let current = section {
            guard let header = elf64_getshdr(current) else { throw Failure() }
            sectionNames.append(String(cString: elf_strptr(elf, names, Int(header.pointee.sh_name))))
            if header.pointee.sh_type == UInt32(SHT_PROGBITS) { dataSize = Int(header.pointee.sh_size) }
            section = elf_nextscn(elf, current)
        }
        let bytes = try Files.read(path)
        let dynamic = segments[1]
        for at in stride(from: Int(dynamic.p_offset), to: Int(dynamic.p_offset + dynamic.p_filesz), by: 16) {
            let tag = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: at, as: Int64.self) }
            if tag != 0 { dynamicTags.append(tag) }
        }
        var at = Int(segments[2].p_offset)
        while at < Int(segments[2].p_offset + segments[2].p_filesz) {
            let words = bytes.withUnsafeBytes { buffer in
                (0..<3).map { buffer.loadUnaligned(fromByteOffset: at + 4 * $0, as: UInt32.self) }
            }
            guard words[0] == 6, bytes[(at + 12)..<(at + 18)] == [0x45, 0x53, 0x45, 0x54, 0x53, 0] else {
                throw Failure()
            }
            notes[words[2]] = Array(bytes[(at + 20)..<(at + 20 + Int(words[1]))])
            at += 20 + (Int(words[1]) + 3) & ~3
        }
    }
}
