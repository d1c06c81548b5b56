import BytesE
import CModuleABI
import Executables
import Testing

@Suite("Portable Executables", .serialized)
struct PETests {
    @Test("headers, sections, what lies behind them", arguments: [false, true])
    func headers(wide: Bool) throws {
        try Image.pe(wide: wide).read { bytes in
            #expect(ExecutableFormat(bytes) == .portableExecutable)
            let file = try #require(PEFile(bytes))
            #expect(file.header.isPlus == wide && file.header.isDLL && file.header.timestamp == 0x6543_2100)
            #expect(file.header.imageBase == (wide ? 0x1_4000_0000 : 0x40_0000) && file.header.checksum == 0xabcd)
            #expect(file.sections.map { text($0.name) } == [".text", ".rdata"])
            #expect(file.directory(.resources)?.address == 0x2400 && file.directory(.delayedImports)?.size == 0)
            #expect(file.overlay == 0xe00..<0xe18)
            let layout = try #require(PELayout(file))
            #expect(layout.entryPoint == 0x410 && layout.headerSize == 0x1000)
            #expect(layout.sections.map { $0.extent } == [0x400..<0x600, 0x600..<0xe00])
            #expect(layout.sections.map { $0.virtualSize } == [0x1000, 0x1000])
            #expect(file.addresses.offset(of: 0x2001) == 0x601 && file.addresses.offset(of: 0x2800) == nil)
            #expect(file.addresses.offset(of: 0x20) == 0x20)
        }
    }

    @Test("imports by name and number, and their text", arguments: [false, true])
    func imports(wide: Bool) throws {
        try Image.pe(wide: wide).read { bytes in
            let file = try #require(PEFile(bytes))
            var found: [String] = []
            file.forEachImport(file.addresses) { entry in
                switch entry.function {
                case .name(let name): found.append("\(text(entry.library) ?? "")!\(text(name) ?? "")")
                case .ordinal(let number): found.append("\(text(entry.library) ?? "")#\(number)")
                }
                return true
            }
            #expect(found == ["KERNEL32.dll!GetTickCount", "KERNEL32.dll#77", "WS2_32.DLL#3", "WS2_32.DLL#2000"])
            var written: [UInt8] = []
            let outcome = file.importText(try #require(PELayout(file)).addresses) {
                written.append(contentsOf: $0.array)
            }
            guard case .complete(let count) = outcome else {
                Issue.record("no text")
                return
            }
            #expect(count == written.count)
            let expected = "kernel32.gettickcount,kernel32.ord77,ws2_32.closesocket,ws2_32.ord2000"
            #expect(String(decoding: written, as: UTF8.self) == expected)
        }
    }

    @Test func exports() throws {
        try Image.pe(wide: true).read { bytes in
            let file = try #require(PEFile(bytes))
            let table = try #require(file.exports(file.addresses))
            #expect(text(table.libraryName) == "sample.dll" && table.functionCount == 4)
            #expect(table.exports.map { $0.ordinal } == [5, 7, 8])
            #expect(table.exports.map { text($0.name) } == ["alpha", "beta", nil])
            #expect(table.exports.map { text($0.forwarder) } == [nil, "OTHER.gamma", nil])
        }
    }

    @Test func resources() throws {
        try Image.pe(wide: false).read { bytes in
            let file = try #require(PEFile(bytes))
            var found: [String] = []
            file.forEachResource(file.addresses) { resource in
                let type = resource.type.number.map { "\($0)" } ?? "named"
                let content = file.content(of: resource, file.addresses)
                found.append("\(type) \(resource.language.number ?? 0) \(content?.count ?? -1)")
                return true
            }
            #expect(found == ["named 0 4", "16 1033 256"])
            var strings: [String] = []
            var places: [Int] = []
            file.forEachVersionString(file.addresses) { string in
                strings.append(
                    String(decoding: string.key.array.filter { $0 != 0 }, as: UTF8.self) + "="
                        + String(decoding: string.value.array.filter { $0 != 0 }, as: UTF8.self))
                places.append(string.offset)
            }
            #expect(strings == ["CompanyName=Works"])
            #expect(ExecutableLayout(bytes, target: UInt32(EM_TARGET_PE)).versionStrings() == places)
        }
    }

    @Test func marksOfTools() throws {
        try Image.pe(wide: false).read { bytes in
            let file = try #require(PEFile(bytes))
            let rich = try #require(file.richHeader)
            #expect(rich.key == 0x1234_5678 && rich.extent == 0x40..<0x60)
            #expect(rich.entries.map { $0.product } == [0x93] && rich.entries.map { $0.build } == [0x7809])
            #expect(rich.entries.map { $0.count } == [7])
            #expect(text(file.debugPath(file.addresses)) == "c:\\sample.pdb")
            let certificate = try #require(file.certificates.first)
            #expect(text(certificate.content) == "certificate!" && certificate.type == PEFile.signedData)
            #expect(file.authenticodeExtents == [0..<0xd8, 0xdc..<0x118, 0x120..<0xe00])
        }
    }

    struct Change {
        let value: UInt64
        let at, size: Int
        /// What becomes of the extents of the sections; nil: the file is broken.
        let extents: [Range<Int>]?
    }

    static let changes = [
        // No section; a table that the file has no room for; an optional header that is too short.
        Change(value: 0, at: 0x86, size: 2, extents: nil), Change(value: 500, at: 0x86, size: 2, extents: nil),
        Change(value: 0x40, at: 0x94, size: 2, extents: nil),
        // An entry point that nothing holds, and one in the headers.
        Change(value: 0x9000, at: 0xa8, size: 4, extents: nil),
        Change(value: 0x10, at: 0xa8, size: 4, extents: [0x400..<0x600, 0x600..<0xe00]),
        // The second section: behind the end, beyond the end, unaligned, of a negative address.
        Change(value: 0x2000, at: 0x178 + 60, size: 4, extents: [0x400..<0x600, 0x2000..<0x2000]),
        Change(value: 0x4000, at: 0x178 + 56, size: 4, extents: [0x400..<0x600, 0x600..<0xe18]),
        Change(value: 0x6ff, at: 0x178 + 60, size: 4, extents: [0x400..<0x600, 0x600..<0xe00]),
        Change(value: 0x701, at: 0x178 + 56, size: 4, extents: [0x400..<0x600, 0x600..<0xe00]),
        Change(value: 0x8000_0000, at: 0x178 + 52, size: 4, extents: nil),
        // File alignment 0x1000: sections begin at multiples of 512 that are none of it, so 512 counts.
        Change(value: 0x1000, at: 0xbc, size: 4, extents: [0x400..<0x600, 0x600..<0xe00]),
    ]

    @Test("odd headers mean what ClamAV's signatures mean by them", arguments: changes)
    func layout(_ change: Change) throws {
        var image = Image.pe(wide: false)
        image.put(change.value, change.at, change.size)
        image.read { bytes in
            let layout = ExecutableLayout(bytes, target: UInt32(EM_TARGET_PE))
            #expect(layout.isBroken == (change.extents == nil))
            #expect(layout.sections == change.extents ?? [])
        }
    }
}
