import Archives
import CModuleABI
import Testing

@Suite struct ZIPTests {
    @Test func entries() {
        var zip = ZIPBuilder()
        zip.add("stored.txt", "one")
        zip.add("dir/", "")
        zip.add("dir/packed.txt", "two", method: 8)
        let (host, status) = unpacked(zip.finished())
        #expect(status == EM_END)
        #expect(host.texts == ["one", "two"])
        #expect(host.names == ["stored.txt", "dir/packed.txt"])
        #expect(host.children.map(\.flags) == [EM_OBJECT_IN_PLACE, 0])
        #expect(host.flags == 0)
    }

    @Test func whatOnlyOneViewHas() {
        var zip = ZIPBuilder()
        zip.add("both", "1")
        let hidden = ZIPBuilder.Header(name: Array("local".utf8), packed: 1, size: 1)
        _ = zip.local(hidden, Array("2".utf8))
        // A deflated entry that the directory calls stored.
        let data = deflated(Array("3".utf8))
        var header = ZIPBuilder.Header(name: Array("forged".utf8), method: 8, packed: data.count, size: 1)
        let offset = zip.local(header, data)
        header.method = 0
        zip.central(header, at: offset)
        let (host, _) = unpacked(zip.finished())
        #expect(host.texts == ["1", text(data), "2", "3"])
        #expect(host.flags == EM_OBJECT_MALFORMED)
    }

    @Test func withoutDirectory() {
        var zip = ZIPBuilder()
        zip.add("a", "1")
        zip.add("b", "2", method: 8)
        let (host, status) = unpacked(zip.bytes)
        #expect(status == EM_END)
        #expect(host.texts == ["1", "2"])
        #expect(host.flags == EM_OBJECT_TRUNCATED)
    }

    @Test func dataDescriptors() {
        for hasDirectory in [true, false] {
            var zip = ZIPBuilder()
            for (name, content, method) in [("a", "one", 0), ("b", "two", 8)] {
                let data = method == 8 ? deflated(Array(content.utf8)) : Array(content.utf8)
                var header = ZIPBuilder.Header(name: Array(name.utf8), method: method, flags: 8, packed: 0, size: 0)
                let descriptor = [0x50, 0x4B, 7, 8, 0, 0, 0, 0] + little(data.count, 4) + little(3, 4)
                let offset = zip.local(header, data + descriptor)
                header.packed = data.count
                header.size = 3
                zip.central(header, at: offset)
            }
            let (host, _) = unpacked(hasDirectory ? zip.finished() : zip.bytes)
            #expect(host.texts == ["one", "two"])
        }
    }

    @Test func zip64Sizes() {
        var zip = ZIPBuilder()
        let extra = [1, 0, 16, 0] + little(3, 8) + little(3, 8)
        let header = ZIPBuilder.Header(
            name: Array("a".utf8), packed: 0xFFFF_FFFF, size: 0xFFFF_FFFF, extra: extra)
        zip.central(header, at: zip.local(header, Array("one".utf8)))
        #expect(unpacked(zip.finished()).host.texts == ["one"])
    }

    @Test func encryptedAndUnsupported() {
        var zip = ZIPBuilder()
        zip.add("secret.exe", "xyz", flags: 1)
        zip.add("sound", "xyz", method: 97)
        // Too little for LZMA.
        zip.add("lzma", "xyz", method: 14)
        let (host, _) = unpacked(zip.finished())
        #expect(host.names == ["secret.exe", "sound", "lzma"])
        #expect(
            host.children.map(\.flags) == [EM_OBJECT_ENCRYPTED, EM_OBJECT_UNSUPPORTED, EM_OBJECT_TRUNCATED])
        #expect(host.texts == ["", "", ""])
    }

    @Test func names() {
        var zip = ZIPBuilder()
        for (name, flags) in [([0x81], 0), (Array("ü".utf8), 0x800), (Array("ü".utf8), 0)] as [([UInt8], Int)] {
            let header = ZIPBuilder.Header(name: name, flags: flags, packed: 1, size: 1)
            zip.central(header, at: zip.local(header, [0x31]))
        }
        #expect(unpacked(zip.finished()).host.names == ["ü", "ü", "ü"])
    }

    @Test func behindAProgram() {
        var zip = ZIPBuilder()
        zip.add("a", "1")
        let (host, status) = unpacked(zip.finished(prefix: Array("MZ, a program".utf8)))
        #expect(status == EM_END)
        #expect(host.texts == ["1"])
        #expect(host.flags == 0)
    }

    @Test func damagedAndTruncated() {
        var zip = ZIPBuilder()
        var header = ZIPBuilder.Header(name: [0x61], method: 8, packed: 3, size: 1)
        zip.central(header, at: zip.local(header, [7, 7, 7]))
        header.packed = 1_000
        zip.central(header, at: zip.local(header, deflated(Array("part".utf8))))
        let (host, _) = unpacked(zip.finished())
        #expect(host.children[0].flags == EM_OBJECT_MALFORMED)
        #expect(host.children[1].flags == EM_OBJECT_TRUNCATED)
        #expect(host.texts[1] == "part")
    }

    @Test func fourGigabytesOfZeros() {
        let data = zeros(4 << 30)
        var zip = ZIPBuilder()
        let header = ZIPBuilder.Header(name: Array("zeros".utf8), method: 8, packed: data.count, size: 0xFFFF_FFFF)
        zip.central(header, at: zip.local(header, data))
        let host = TrialHost(memory: 8 << 20)
        host.keepsData = false
        #expect(unpacked(zip.finished(), host).status == EM_END)
        #expect(host.exceeded == [EM_BUDGET_MEMORY])
        #expect(host.children.map(\.flags) == [EM_OBJECT_OVER_LIMIT])
        #expect(host.peak <= 8 << 20)
        // Asked at least every 64 KiB.
        #expect(host.checks > 120)
    }

    @Test func theTotalEndsItToo() {
        let data = zeros(1 << 20)
        var zip = ZIPBuilder()
        for name in 0..<8 {
            let header = ZIPBuilder.Header(name: Array("\(name)".utf8), method: 8, packed: data.count, size: 0)
            zip.central(header, at: zip.local(header, data))
        }
        let host = TrialHost(memory: 8 << 20)
        host.mostBytes = 3 << 20
        #expect(unpacked(zip.finished(), host).status == EM_END)
        #expect(host.children.reduce(0) { $0 + $1.data.count } == 3 << 20)
        #expect(host.exceeded.allSatisfy { $0 == EM_BUDGET_TOTAL })
    }

    @Test func overlappingEntries() {
        // Each directory entry names the same local header with the same large content.
        var zip = ZIPBuilder()
        let data = [UInt8](repeating: 0x41, count: 1 << 20)
        let header = ZIPBuilder.Header(name: [0x61], packed: data.count, size: data.count)
        let offset = zip.local(header, data)
        for _ in 0..<1_000 { zip.central(header, at: offset) }
        let host = TrialHost(memory: 4 << 20)
        host.keepsData = false
        #expect(unpacked(zip.finished(), host).status == EM_END)
        #expect(host.children.count < 32)
        #expect(host.exceeded == [EM_BUDGET_TOTAL])
        #expect(host.flags & EM_OBJECT_MALFORMED != 0)
    }
}
