import BytesE
import CModuleABI
import Testing

@testable import Archives

/// What installers and compiled scripts append to their programs.
@Suite struct InstallerTests {
    private func file(_ name: String, _ data: [UInt8]) -> [UInt8] {
        Array("\(name)\u{0}Disk1\\\(name)\u{0}1.0.0.0\u{0}\(data.count)\u{0}".utf8) + data
    }

    @Test func filesOfInstallShield() {
        let (host, status) = unpacked(file("a.exe", Array("one".utf8)) + file("b.txt", Array("three".utf8)))
        #expect(status == EM_END)
        #expect(host.names == ["a.exe", "b.txt"])
        #expect(host.texts == ["one", "three"])
    }

    @Test func cabinetOfInstallShield() throws {
        // A piece with its size before it; the header's table has one file.
        let piece = deflated(Array("packed".utf8))
        let cabinet = Array("ISc(".utf8) + little(piece.count, 2) + piece
        let base = 32
        var header = Array("ISc(".utf8) + little(0, 8) + little(base, 4) + [UInt8](repeating: 0, count: base - 16)
        header += little(0, 12) + little(48, 4) + little(0, 24) + little(1, 4) + little(0, 4)
        // Flags, sizes, place, digest, …, the name behind the table.
        header += little(4, 2) + little(6, 8) + little(piece.count + 2, 8) + little(4, 8)
        header +=
            [UInt8](repeating: 0, count: 32) + little(0x57, 4) + [UInt8](repeating: 0, count: 22) + [0] + little(1, 2)
        header += Array("c.exe\u{0}".utf8)
        let (host, status) = unpacked(file("data1.hdr", header) + file("data1.cab", cabinet))
        #expect(status == EM_END)
        #expect(host.names == ["data1.hdr", "data1.cab", "c.exe"])
        #expect(text(try #require(host.children.last).data) == "packed")
    }

    @Test func maskedFilesOfInstallShield() throws {
        let name = "a.ini"
        let plain = [0x78, 0x01] + deflated(Array("abc".utf8)) + [0x02, 0x4D, 0x01, 0x27]
        let masks: [UInt8] = [0xEC, 0xCA, 0x79, 0xF8]
        let key = Array(name.utf8).enumerated().map { $1 ^ masks[$0 & 3] }
        let masked = plain.enumerated().map { place, byte in
            let mixed = byte ^ key[place % key.count]
            return mixed >> 4 | mixed << 4
        }
        var file = Array("InstallShield\u{0}".utf8) + little(1, 4) + [UInt8](repeating: 0, count: 0x2E - 18)
        file += Array(name.utf8) + [UInt8](repeating: 0, count: 0x10C - name.utf8.count) + little(masked.count, 8)
        file += [UInt8](repeating: 0, count: 0x138 - 0x114) + masked
        let (host, status) = unpacked(file)
        #expect(status == EM_END)
        #expect(host.names == [name])
        #expect(host.texts == ["abc"])
    }

    @Test func formsOfPackage() {
        var package = little(1, 4) + little(2, 4) + little(0x1000_0419, 4) + little(0, 4)
        package += little(0, 2) + little(2, 2) + little(1, 2) + [UInt8](repeating: 0, count: 14)
        package += little(8, 2) + [UInt8](repeating: 0, count: 10) + little(0, 4) + little(100, 4)
        package += [UInt8](repeating: 0, count: 100 - package.count)
        // One file for two languages, stored, with its name behind.
        package += little(0, 12) + little(10, 4) + little(152, 4) + little(0, 8)
        package += little(3, 4) + little(5, 4) + little(162, 4) + little(165, 4) + little(3, 4) + little(5, 4)
        package += "a.exe".utf16.flatMap { little(Int($0), 2) } + Array("onethree".utf8)
        let (host, status) = unpacked(package)
        #expect(status == EM_END)
        #expect(host.texts == ["one", "three"])
        #expect(host.names == ["a.exe", "a.exe"])
    }

    /// The bytes that newer AutoIt adds to what it encrypts.
    private struct KeyStream {
        var state: [UInt32] = []
        var index = 0
        var other = 10

        init(_ seed: Int) {
            var value = UInt32(seed & 0xFFFF)
            for _ in 0..<17 {
                value = 1 &- value &* 0x53A9_B4FB
                state.append(value)
            }
            for _ in 0..<9 { _ = step() }
        }

        mutating func step() -> UInt32 {
            let (a, b) = (state[index], state[other])
            state[index] = (a << 9 | a >> 23) &+ (b << 13 | b >> 19)
            let value = state[index]
            index = (index + 16) % 17
            other = (other + 16) % 17
            return value
        }

        mutating func next() -> UInt8 {
            _ = step()
            return UInt8(step() >> 24)
        }
    }

    private func encrypted(_ bytes: [UInt8], _ seed: Int) -> [UInt8] {
        var stream = KeyStream(seed)
        return bytes.map { $0 ^ stream.next() }
    }

    @Test func filesOfCompiledScript() {
        func text(_ text: String, _ mask: Int, _ key: Int) -> [UInt8] {
            let count = text.utf16.count
            return little(count ^ mask, 4) + encrypted(text.utf16.flatMap { little(Int($0), 2) }, key + count)
        }
        func record(_ name: String, _ data: [UInt8], isPacked: Bool) -> [UInt8] {
            let head = little(0x52CA_436B, 4) + text("<FILE>", 0xADBC, 0xB33F) + text(name, 0xF820, 0xF479)
            return head + [isPacked ? 1 : 0] + little(data.count ^ 0x87BC, 4) + [UInt8](repeating: 0, count: 24)
                + encrypted(data, 0x2477)
        }
        // Two literals, and four bytes from two back: a bit each, eight bits each; 15 bits and 2 for the copy.
        let bits = "1" + "01100001" + "1" + "01100010" + "0" + "000000000000010" + "01" + "000000000000"
        var packed = Array("EA06".utf8) + [0, 0, 0, 6]
        var rest = Substring(bits)
        while rest.count >= 8 {
            packed.append(UInt8(rest.prefix(8), radix: 2) ?? 0)
            rest = rest.dropFirst(8)
        }
        var script: [UInt8] = [
            0xA3, 0x48, 0x4B, 0xBE, 0x98, 0x6C, 0x4A, 0xA9, 0x99, 0x4C, 0x53, 0x0A, 0x86, 0xD6, 0x48,
        ]
        script += [0x7D] + Array("AU3!EA06".utf8) + [UInt8](repeating: 1, count: 16)
        script += record("a.exe", Array("stored file".utf8), isPacked: false) + record("b.exe", packed, isPacked: true)
        let (host, status) = unpacked(script + [0, 0, 0, 0])
        #expect(status == EM_END)
        #expect(host.names == ["a.exe", "b.exe"])
        #expect(host.texts == ["stored file", "ababab"])
    }
}
