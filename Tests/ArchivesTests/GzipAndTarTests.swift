import Archives
import BytesE
import CModuleABI
import Testing

@Suite struct GzipTests {
    private func member(_ text: String, name: String? = nil) -> [UInt8] {
        [0x1F, 0x8B, 8, name == nil ? 0 : 8, 0, 0, 0, 0, 0, 3] + (name.map { Array($0.utf8) + [0] } ?? [])
            + deflated(Array(text.utf8)) + [UInt8](repeating: 0, count: 8)
    }

    @Test func oneMember() {
        let (host, status) = unpacked(member("one", name: "a.txt"))
        #expect(status == EM_END)
        #expect(host.texts == ["one"])
        #expect(host.names == ["a.txt"])
        #expect(host.flags == 0)
    }

    @Test func membersAreOneFileAndOfferedAlone() {
        let (host, _) = unpacked(member("one") + member("two") + member("three"))
        #expect(host.texts == ["onetwothree", "two", "three"])
        #expect(host.children[1].offset == UInt64(member("one").count))
    }

    @Test func truncatedAndDamaged() {
        let whole = member("a longer text")
        #expect(unpacked(Array(whole.dropLast(12))).host.flags == EM_OBJECT_TRUNCATED)
        #expect(unpacked(Array(whole.dropLast(12))).host.texts == ["a longer "])
        var broken = whole
        broken[10] = 7
        #expect(unpacked(broken).host.flags == EM_OBJECT_MALFORMED)
        #expect(unpacked(whole + Array("junk".utf8)).host.texts == ["a longer text"])
    }

    @Test func nameOfTheContent() {
        let host = TrialHost(memory: 1 << 20)
        _ = member("x").withUnsafeBufferPointer { host.unpack(.init($0), name: "b.tgz") }
        #expect(host.names == ["b.tar"])
    }
}

@Suite struct TarTests {
    @Test func entriesOfAllKinds() {
        let archive =
            tarEntry("a.txt", "one") + tarEntry("old", "two", type: "\u{0}", magic: "")
            + tarEntry("dir/", "", type: "5")
            + tarEntry("././@LongLink", "a/very/long/name\u{0}", type: "L", magic: "ustar  \u{0}")
            + tarEntry("cut", "three")
            + tarEntry("pax", "17 path=pax/näm\n", type: "x") + tarEntry("cut", "four")
            + [UInt8](repeating: 0, count: 1024)
        let (host, status) = unpacked(archive)
        #expect(status == EM_END)
        #expect(host.names == ["a.txt", "old", "a/very/long/name", "pax/näm"])
        #expect(host.texts == ["one", "two", "three", "four"])
        #expect(host.children.allSatisfy { $0.flags == EM_OBJECT_IN_PLACE })
        #expect(host.flags == 0)
    }

    @Test func behindTheEnd() {
        let archive = tarEntry("a", "1") + [UInt8](repeating: 0, count: 2048) + tarEntry("b", "2")
        #expect(unpacked(archive).host.texts == ["1", "2"])
        let damaged = tarEntry("a", "1") + [UInt8](repeating: 0x41, count: 512) + tarEntry("b", "2")
        #expect(unpacked(damaged).host.texts == ["1", "2"])
        #expect(unpacked(damaged).host.flags == EM_OBJECT_MALFORMED)
    }

    @Test func truncatedAndSparse() {
        let (host, _) = unpacked(tarBlock("a", size: 1_000_000) + Array("rest".utf8))
        #expect(host.texts == ["rest"])
        #expect(host.children[0].flags == EM_OBJECT_IN_PLACE | EM_OBJECT_TRUNCATED)
        #expect(host.flags == EM_OBJECT_TRUNCATED)
        let sparse = unpacked(tarEntry("s", "data", type: "S", magic: "ustar  \u{0}")).host
        #expect(sparse.children[0].flags == EM_OBJECT_IN_PLACE)
    }

    @Test func hugeSizes() {
        var block = tarBlock("a", size: 0)
        block.replaceSubrange(124..<136, with: [0x80] + [UInt8](repeating: 0xFF, count: 11))
        #expect(unpacked(block).host.children.isEmpty)
    }

    /// The three forms in which tar writes the map of a sparse file.
    @Test func sparseFilesAreFilled() {
        let expected =
            [UInt8](repeating: 0, count: 10) + Array("one".utf8) + [UInt8](repeating: 0, count: 7)
            + Array("two".utf8) + [UInt8](repeating: 0, count: 2)
        var old = tarBlock("old", size: 6, type: "S", magic: "ustar  \u{0}")
        for (index, number) in [10, 3, 20, 3].enumerated() {
            let digits = String(number, radix: 8)
            let field = String(repeating: "0", count: 11 - digits.count) + digits
            old.replaceSubrange((386 + 12 * index)..<(397 + 12 * index), with: field.utf8)
        }
        old.replaceSubrange(483..<494, with: "00000000031".utf8)
        old.replaceSubrange(148..<156, with: "        ".utf8)
        let sum = String(old.reduce(0) { $0 + Int($1) }, radix: 8)
        old.replaceSubrange(148..<155, with: (String(repeating: "0", count: 6 - sum.count) + sum + "\u{0}").utf8)
        let oldEntry = old + Array("onetwo".utf8) + [UInt8](repeating: 0, count: 506)
        func pax(_ records: [String]) -> [UInt8] {
            tarEntry(
                "p",
                records.map { record in
                    let length = record.utf8.count + 4
                    return "\(length) \(record)\n"
                }.joined(), type: "x")
        }
        let paired =
            pax(["GNU.sparse.size=25", "GNU.sparse.offset=10", "GNU.sparse.numbytes=3"].map { $0 })
            + tarEntry("none", "one")
        let listed = pax(["GNU.sparse.map=10,3,20,3", "GNU.sparse.size=25"]) + tarEntry("listed", "onetwo")
        let map = "2\n10\n3\n20\n3\n"
        let inside =
            pax(["GNU.sparse.major=1", "GNU.sparse.realsize=25"])
            + tarEntry("inside", map + String(repeating: "\u{0}", count: 512 - map.utf8.count) + "onetwo")
        for archive in [oldEntry, listed, inside] {
            #expect(unpacked(archive).host.children.map { $0.data } == [expected])
        }
        #expect(unpacked(paired).host.children.first?.data.count == 25)
    }

    /// What is stored is scanned, however large the holes are said to be.
    @Test func holesBeyondTheLimit() {
        let host = TrialHost(memory: 1 << 20)
        let record = "GNU.sparse.map=99999999999,3"
        let archive = tarEntry("p", "\(record.utf8.count + 4) \(record)\n", type: "x") + tarEntry("s", "one")
        #expect(unpacked(archive, host).host.texts == ["one"])
        #expect(host.children[0].flags & EM_OBJECT_OVER_LIMIT != 0)
    }
}
