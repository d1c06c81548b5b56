import Bytes
import CModuleABI
import Testing

@testable import DataModule

/// Databases with a catalogue and nothing else.
private final class Names {
    let catalogue: SignatureCatalogue
    private let memory: UnsafeMutableRawBufferPointer

    init(_ names: [String], flags: UInt32 = 0, source: String = "a.ndb", damage: Bool = false) throws {
        var text = Array(source.utf8)
        var entries: [em_signature] = []
        for (index, name) in names.enumerated() {
            var entry = em_signature()
            entry.name = damage ? UInt32.max - 3 : UInt32(text.count)
            entry.name_length = UInt16(name.utf8.count)
            entry.line = UInt32(index + 1)
            entry.flags = flags
            entries.append(entry)
            text += Array(name.utf8)
        }
        let file = em_source(
            name: 0, name_length: UInt32(source.utf8.count), signatures: UInt32(names.count), reserved: 0)
        let bytes = try CompiledDatabase(
            kind: EM_DATABASE_SIGNATURES, format: EM_SIGNATURE_FORMAT, version: 7, signatures: UInt64(names.count),
            sections: [
                DatabaseSection(EM_SECTION_CATALOGUE, version: EM_SECTION_VERSION, entries),
                DatabaseSection(EM_SECTION_TEXT, version: EM_SECTION_VERSION, text),
                DatabaseSection(EM_SECTION_SOURCES, version: EM_SECTION_VERSION, [file]),
            ]
        ).bytes()
        memory = .allocate(byteCount: bytes.count, alignment: 8)
        memory.copyBytes(from: bytes)
        catalogue = try #require(SignatureCatalogue(ByteView(UnsafeRawBufferPointer(memory))))
    }

    deinit { memory.deallocate() }
}

private func text(_ entry: SignatureCatalogue.Entry) -> String { String(decoding: entry.name.buffer, as: UTF8.self) }

@Suite("Catalogues")
struct CatalogueTests {
    @Test func entries() throws {
        let names = try Names(["One", "Two"], flags: EM_SIGNATURE_UNWANTED)
        let catalogue = names.catalogue
        #expect(catalogue.count == 2 && catalogue.version == 7)
        #expect(catalogue.sources.map { $0.signatures } == [2])
        let second = try #require(catalogue[1])
        #expect(text(second) == "Two" && second.line == 2 && second.source == 0)
        #expect(second.flags == EM_SIGNATURE_UNWANTED)
        #expect(catalogue[2] == nil && catalogue[-1] == nil)
    }

    @Test func damagedOffsetsReadAsEmpty() throws {
        let names = try Names(["One"], damage: true)
        let entry = try #require(names.catalogue[0])
        #expect(text(entry) == "")
    }

    @Test func otherDataIsNone() {
        #expect(
            SignatureCatalogue(ByteView("no database, but longer than a header of one would be ............")) == nil)
        #expect(SignatureCatalogue(ByteView()) == nil)
    }

    @Test func differences() throws {
        let old = try Names(["A", "B", "B", "C", "D"])
        let new = try Names(["D", "B", "E", "C", "C", "F"])
        let difference = CatalogueDifference(old: old.catalogue, new: new.catalogue)
        var came: [String] = []
        var went: [String] = []
        difference.forEachNew { came.append(text($0)) }
        difference.forEachOld { went.append(text($0)) }
        #expect(came == ["E", "C", "F"] && difference.came == 3)
        #expect(went == ["A", "B"] && difference.went == 2)
        let same = CatalogueDifference(old: old.catalogue, new: old.catalogue)
        #expect(same.came == 0 && same.went == 0)
    }

    @Test(arguments: [
        ("emotet", "Win.Trojan.Emotet-1", true), ("WIN", "win.x", true), ("x", "", false), ("", "anything", true),
        ("win.*-1", "Win.Trojan.Emotet-1", true), ("win.*-1", "xWin.Trojan-1", false), ("a?c", "abc", true),
        ("a?c", "ac", false), ("*a*b*c", "xxaxxbxxc", true), ("*a*b*c", "xxaxxcxxb", false), ("*", "", true),
        ("a*a*a*a*a*b", String(repeating: "a", count: 60), false),
    ])
    func patterns(_ pattern: String, _ name: String, _ matches: Bool) {
        Array(name.utf8).withUnsafeBufferPointer { buffer in
            #expect(NamePattern(pattern).matches(ByteView(buffer)) == matches)
        }
    }
}
