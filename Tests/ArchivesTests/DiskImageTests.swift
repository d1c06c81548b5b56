import Archives
import CModuleABI
import Testing

/// Small disks made by hand; what real tools make is larger.
@Suite struct DiskImageTests {
    private static let content =
        Array("content of a file that takes more than one cluster".utf8) + [UInt8](repeating: 7, count: 1000)

    /// A FAT12 file system of 40 clusters of 512 bytes: a file with a long name in clusters 2, 5 and 3, and a
    /// directory in cluster 4 that holds itself and a file of one cluster.
    private static func fat() -> [UInt8] {
        var disk = [UInt8](repeating: 0, count: 64 * 512)
        func put(_ bytes: [UInt8], _ place: Int) { disk.replaceSubrange(place..<place + bytes.count, with: bytes) }
        put([0xEB, 0x3C, 0x90] + Array("mkfs.fat".utf8), 0)
        put(little(512, 2), 11)
        put([1, 1, 0, 1, 16, 0, 43, 0, 0xF8, 1, 0], 13)
        func chain(_ links: [Int: Int]) {
            for (cluster, next) in links {
                let place = 512 + cluster * 3 / 2
                let old = Int(disk[place]) | Int(disk[place + 1]) << 8
                let new = cluster % 2 == 0 ? old & 0xF000 | next : old & 0xF | next << 4
                put(little(new, 2), place)
            }
        }
        chain([2: 5, 5: 3, 3: 0xFFF, 4: 0xFFF, 6: 0xFFF])
        func entry(_ name: String, _ attributes: UInt8, _ cluster: Int, _ size: Int) -> [UInt8] {
            var entry = Array(name.utf8)
            entry.append(attributes)
            entry += [UInt8](repeating: 0, count: 14)
            entry += little(cluster, 2)
            return entry + little(size, 4)
        }
        var units: [UInt8] = []
        for unit in "invoice.exe".utf16 { units += little(Int(unit), 2) }
        units += [0, 0, 0xFF, 0xFF]
        var long: [UInt8] = [0x41]
        long += units[..<10]
        long += [0x0F, 0, 0]
        long += units[10..<22]
        long += [0, 0]
        long += units[22...]
        put(long, 1024)
        put(entry("INVOIC~1EXE", 0x20, 2, content.count), 1056)
        put(entry("SUB        ", 0x10, 4, 0), 1088)
        let clusters = 1536
        put(Array(content[..<512]), clusters)
        put(Array(content[512..<1024]), clusters + 3 * 512)
        put(Array(content[1024...]), clusters + 512)
        put(entry(".          ", 0x10, 4, 0) + entry("LOOP       ", 0x10, 4, 0), clusters + 2 * 512)
        put([0xE5] + entry("xELETED TXT", 0x20, 6, 3).dropFirst(), clusters + 2 * 512 + 64)
        put(entry("READ    ME ", 0x20, 6, 3), clusters + 2 * 512 + 96)
        put(Array("abc".utf8), clusters + 4 * 512)
        return disk
    }

    private func big(_ value: Int, _ count: Int) -> [UInt8] { little(value, count).reversed() }

    private func joined(_ parts: [UInt8]...) -> [UInt8] { parts.flatMap { $0 } }

    private func withFields(_ size: Int, _ fields: [(Int, [UInt8])]) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: size)
        for (place, bytes) in fields { result.replaceSubrange(place..<place + bytes.count, with: bytes) }
        return result
    }

    @Test func fileSystem() throws {
        let (host, status) = unpacked(Self.fat())
        #expect(status == EM_END)
        let first = try #require(host.children.first)
        #expect(text(first.name) == "invoice.exe")
        #expect(first.data == Self.content)
        // A directory that holds itself is entered a bounded number of times.
        let small = host.children.filter { text($0.data) == "abc" }
        #expect(text(try #require(small.last).name) == "READ.ME")
        #expect(host.children.count < 200)
        #expect(host.flags & EM_OBJECT_OVER_LIMIT != 0)
    }

    @Test func partitions() {
        var entry: [UInt8] = [0x80, 0, 0, 0, 1, 0, 0, 0]
        entry += little(2, 4)
        entry += little(64, 4)
        let disk = joined(withFields(1024, [(446, entry), (510, [0x55, 0xAA])]), Self.fat())
        #expect(unpacked(disk).host.children.map(\.data) == [Self.fat()])
    }

    @Test func fixedVHD() {
        let footer = withFields(512, [(0, Array("conectix".utf8)), (60, big(2, 4))])
        #expect(unpacked(joined(Self.fat(), footer)).host.children.contains { $0.data == Self.fat() })
    }

    @Test func dynamicVHD() {
        let footer = withFields(512, [(0, Array("conectix".utf8)), (16, big(512, 8)), (60, big(3, 4))])
        let header = withFields(
            1024, [(0, Array("cxsparse".utf8)), (16, big(1536, 8)), (28, big(3, 4)), (32, big(4096, 4))])
        // The second block is stored, the others are not.
        let table = withFields(512, [(0, big(0xFFFF_FFFF, 4)), (4, big(4, 4)), (8, big(0xFFFF_FFFF, 4))])
        let block = [UInt8](repeating: 0x61, count: 4096)
        let image = joined(footer, header, table, [UInt8](repeating: 0xFF, count: 512), block, footer)
        #expect(unpacked(image).host.children.map(\.data) == [joined([UInt8](repeating: 0, count: 4096), block)])
    }

    @Test func sparseVMDK() {
        let header = withFields(
            512,
            [
                (0, Array("KDMV".utf8)), (4, little(1, 4)), (8, little(3, 4)), (12, little(16, 8)),
                (20, little(8, 8)), (44, little(512, 4)), (56, little(1, 8)),
            ])
        let tables = joined(withFields(512, [(0, little(2, 4))]), withFields(2048, [(4, little(6, 4))]))
        let grain = [UInt8](repeating: 0x62, count: 4096)
        #expect(
            unpacked(joined(header, tables, grain)).host.children.map(\.data)
                == [joined([UInt8](repeating: 0, count: 4096), grain)])
    }

    @Test func compressedQCOW2() {
        let header = withFields(
            512,
            [
                (0, big(0x5146_49FB, 4)), (4, big(2, 4)), (20, big(9, 4)), (24, big(1024, 8)), (36, big(1, 4)),
                (40, big(512, 8)),
            ])
        let cluster = [UInt8](repeating: 0x63, count: 512)
        let compressed = 1 << 62 | 1 << 61 | 2048
        let entries = withFields(512, [(0, big(1536, 8)), (8, big(compressed, 8))])
        let stored = [UInt8](repeating: 0x64, count: 512)
        let packed = joined(deflated(cluster), [UInt8](repeating: 0, count: 512))
        let image = joined(header, withFields(512, [(0, big(1024, 8))]), entries, stored, packed)
        #expect(unpacked(image).host.children.map(\.data) == [joined(stored, cluster)])
    }

    @Test func tableThatIsThereOnceIsReadOnce() {
        // Each table of the directory is the same one, which has nothing: the work would be the square of the size.
        let qcow = joined(
            withFields(
                512,
                [
                    (0, big(0x5146_49FB, 4)), (4, big(2, 4)), (20, big(9, 4)), (24, big(1 << 20, 8)), (36, big(64, 4)),
                    (40, big(512, 8)),
                ]), joined((0..<64).map { _ in big(1024, 8) }.flatMap { $0 }, [UInt8](repeating: 0, count: 512)))
        let vmdk = joined(
            withFields(
                512,
                [
                    (0, Array("KDMV".utf8)), (4, little(1, 4)), (12, little(1 << 30, 8)), (20, little(8, 8)),
                    (44, little(128, 4)), (56, little(1, 8)),
                ]), joined((0..<128).map { _ in little(2, 4) }.flatMap { $0 }, [UInt8](repeating: 0, count: 512)))
        for image in [qcow, vmdk] {
            let host = unpacked(image).host
            #expect(host.exceeded == [EM_BUDGET_OBJECTS])
            #expect(host.checks < 64, "it ends early")
        }
    }
}
