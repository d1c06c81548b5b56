import Archives
import BytesE
import CModuleABI
import Testing

/// Mach-O files for several architectures.
@Suite("Universal programs")
struct UniversalTests {
    /// A universal file with a table of these places, and programs at 0x60 and 0x80.
    private static func universal(_ places: [(offset: Int, size: Int)], wide: Bool = false) -> [UInt8] {
        func big(_ value: Int, _ count: Int) -> [UInt8] { little(value, count).reversed() }
        var bytes = big(wide ? 0xcafe_babf : 0xcafe_babe, 4) + big(places.count, 4)
        for place in places {
            bytes += big(7, 4) + big(3, 4) + big(place.offset, wide ? 8 : 4) + big(place.size, wide ? 8 : 4)
            bytes += big(5, 4) + (wide ? big(0, 4) : [])
        }
        bytes += [UInt8](repeating: 0, count: 0xa0 - bytes.count)
        for (text, at) in [("first program", 0x60), ("other program", 0x80)] {
            bytes.replaceSubrange(at..<at + text.utf8.count, with: text.utf8)
        }
        return bytes
    }

    @Test("each program is an object in its place", arguments: [false, true])
    func programs(wide: Bool) {
        let (host, status) = unpacked(Self.universal([(0x60, 13), (0x80, 5)], wide: wide))
        #expect(status == EM_END)
        #expect(host.texts == ["first program", "other"])
    }

    @Test("a program that the table names again is opened once")
    func repeated() {
        #expect(unpacked(Self.universal([(0x60, 13), (0x60, 13), (0x60, 0)])).host.texts == ["first program"])
    }

    @Test("of a file that is cut, what is there")
    func cut() {
        let (host, _) = unpacked(Array(Self.universal([(0x60, 13), (0x80, 5)]).prefix(0x69)))
        #expect(host.texts == ["first pro"] && host.flags & EM_OBJECT_MALFORMED != 0)
    }

    @Test("a place in the table itself is none")
    func inTable() { #expect(unpacked(Self.universal([(0, 0xa0), (8, 0x40), (0x80, 5)])).host.texts == ["other"]) }

    @Test("classes of Java are no programs")
    func javaClass() {
        // Version 65 where a universal file would have the number of its programs.
        var bytes = Self.universal([(0x60, 13)])
        bytes.replaceSubrange(4..<8, with: [0, 0, 0, 65])
        #expect(unpacked(bytes).host.children.isEmpty)
    }
}
