import BytesE
import CModuleABI
import Executables
import Testing

@Suite("ELF and Mach-O")
struct ELFAndMachOTests {
    /// One segment that maps the file at 0x10000; sections: none, names, dynamic symbols, their strings.
    static func elf(wide: Bool, big: Bool) -> Image {
        var image = Image(0x400)
        image.isBigEndian = big
        image.put("\u{7f}ELF", 0)
        image.bytes[4] = wide ? 2 : 1
        image.bytes[5] = big ? 2 : 1
        let word = wide ? 8 : 4
        image.put(2, 16, 2)
        image.put(62, 18, 2)
        image.put(0x1_0120, 24, word)
        image.put(64, 24 + word, word)
        image.put(0x200, 24 + 2 * word, word)
        let rest = 24 + 3 * word + 4
        for (index, value) in [wide ? 64 : 52, wide ? 56 : 32, 1, wide ? 64 : 40, 4, 1].enumerated() {
            image.put(UInt64(value), rest + 2 * index, 2)
        }
        image.put(1, 64)
        let segment = 64 + (wide ? 8 : 4)
        for (index, value) in [0, 0x1_0000, 0x1_0000, 0x400, 0x400].enumerated() {
            image.put(UInt64(value), segment + word * index, word)
        }
        let sections: [(name: Int, type: Int, offset: Int, size: Int, link: Int)] = [
            (0, 0, 0, 0, 0), (1, 3, 0x180, 0x20, 0), (7, 11, 0x1a0, wide ? 48 : 32, 3), (1, 3, 0x1e0, 0x10, 0),
        ]
        for (index, section) in sections.enumerated() {
            let at = 0x200 + index * (wide ? 64 : 40)
            image.put(UInt64(section.name), at)
            image.put(UInt64(section.type), at + 4)
            image.put(UInt64(section.offset), at + (wide ? 24 : 16), word)
            image.put(UInt64(section.size), at + (wide ? 32 : 20), word)
            image.put(UInt64(section.link), at + (wide ? 40 : 24))
        }
        image.put("names", 0x181)
        image.put(".dynsym", 0x187)
        let symbol = 0x1a0 + (wide ? 24 : 16)
        image.put(1, symbol)
        image.bytes[symbol + (wide ? 4 : 12)] = 0x12
        image.put("puts", 0x1e1)
        return image
    }

    @Test("both classes and byte orders", arguments: [false, true], [false, true])
    func elf(wide: Bool, big: Bool) throws {
        try Self.elf(wide: wide, big: big).read { bytes in
            let file = try #require(ELFFile(bytes))
            #expect(file.isWide == wide && file.isBigEndian == big && file.machine == 62)
            #expect(file.offset(of: file.entryAddress) == 0x120 && file.offset(of: 0xffff) == nil)
            #expect(file.sectionNameList.map { text($0) } == ["", "names", ".dynsym", "names"])
            var names: [String?] = []
            file.forEachSymbol(ELFSection.dynamicSymbols) { symbol in
                names.append(text(symbol.name))
                return true
            }
            #expect(names == ["", "puts"])
            let layout = ExecutableLayout(bytes, target: UInt32(EM_TARGET_ELF))
            #expect(layout.entry == 0x120)
            #expect(layout.sections.map { $0.lowerBound } == [0, 0x180, 0x1a0, 0x1e0])
        }
    }

    @Test func brokenELF() {
        // Entries of the section table with another size; an entry point that no segment holds.
        for (value, at) in [(41, 58), (0x77, 25)] {
            var image = Self.elf(wide: true, big: false)
            image.put(UInt64(value), at, 1)
            image.read { #expect(ExecutableLayout($0, target: UInt32(EM_TARGET_ELF)).isBroken) }
        }
    }

    /// A segment with one section at 0x200, a library, and the entry point at 0x210.
    static func machO(wide: Bool) -> Image {
        var image = Image(0x300)
        let head = wide ? 32 : 28
        image.put(wide ? 0xfeed_facf : 0xfeed_face, 0)
        image.put(wide ? 0x0100_0007 : 7, 4)
        image.put(2, 12)
        image.put(3, 16)
        let segment = wide ? 72 + 80 : 56 + 68
        let word = wide ? 8 : 4
        image.put(wide ? 0x19 : 1, head)
        image.put(UInt64(segment), head + 4)
        image.put("__TEXT", head + 8)
        for (index, value) in [0x1000, 0x1000, 0, 0x300].enumerated() {
            image.put(UInt64(value), head + 24 + word * index, word)
        }
        image.put(1, head + (wide ? 64 : 48))
        let section = head + (wide ? 72 : 56)
        image.put("__text", section)
        image.put("__TEXT", section + 16)
        image.put(0x1200, section + 32, word)
        image.put(0x31, section + 32 + word, word)
        image.put(0x200, section + 32 + 2 * word)
        image.put(4, section + 36 + 2 * word)
        let library = head + segment
        image.put(0x0c, library)
        image.put(40, library + 4)
        image.put(24, library + 8)
        image.put("/usr/lib/a", library + 24)
        let main = library + 40
        image.put(0x8000_0028, main)
        image.put(24, main + 4)
        image.put(0x210, main + 8, 8)
        return image
    }

    @Test(arguments: [false, true])
    func machO(wide: Bool) throws {
        try Self.machO(wide: wide).read { bytes in
            let file = try #require(MachOFile(bytes))
            #expect(file.segments.map { text($0.name) } == ["__TEXT"])
            #expect(file.segments.first?.sections.map { text($0.name) } == ["__text"])
            #expect(file.libraries.map { text($0) } == ["/usr/lib/a"] && file.entryPoint == 0x210)
            let layout = ExecutableLayout(bytes, target: UInt32(EM_TARGET_MACHO))
            // Signatures see an entry point in PowerPC programs only, and sections widened to their alignment.
            #expect(layout.entry == 0 && layout.sections == [0x200..<0x240])
        }
    }

    @Test func universal() throws {
        var image = Image(0x100)
        image.isBigEndian = true
        image.put(0xcafe_babe, 0)
        image.put(3, 4)
        for (index, (offset, size)) in [(0x60, 0x20), (0x80, 0x1000), (4, 8)].enumerated() {
            image.put(7, 8 + 20 * index)
            image.put(UInt64(offset), 16 + 20 * index)
            image.put(UInt64(size), 20 + 20 * index)
        }
        try image.read { bytes in
            let file = try #require(UniversalFile(bytes))
            #expect(file.slices.map { $0.extent } == [0x60..<0x80, 0x80..<0x100] && file.isDamaged)
        }
    }
}
