import BytesE
import CModuleABI
import Foundation
import Testing

@testable import Archives

/// What programs carry, and archives that no free tool makes: built here.
@Suite struct PackerTests {
    @Test func picturesOfIcon() {
        let icon: [UInt8] =
            [0, 0, 1, 0, 2, 0] + [16, 16, 0, 0, 1, 0, 32, 0] + little(3, 4) + little(38, 4)
            + [32, 32, 0, 0, 1, 0, 32, 0] + little(9, 4) + little(41, 4) + Array("onetwo".utf8)
        let (host, status) = unpacked(icon)
        #expect(status == EM_END)
        #expect(host.texts == ["one", "two"])
    }

    @Test func storedFileOfACE() throws {
        func header(_ type: UInt8, _ flags: Int, _ fields: [UInt8]) -> [UInt8] {
            [0, 0] + little(fields.count + 3, 2) + [type] + little(flags, 2) + fields
        }
        func file(_ name: String, _ technique: UInt8, _ flags: Int, _ data: String) -> [UInt8] {
            let fields =
                little(data.utf8.count, 4) + little(data.utf8.count, 4) + [UInt8](repeating: 0, count: 12)
                + [technique, 3, 0, 0, 0, 0] + little(name.utf8.count, 2) + Array(name.utf8)
            return header(1, flags | 1, fields) + Array(data.utf8)
        }
        let main = header(0, 0, Array("**ACE**".utf8) + [UInt8](repeating: 0, count: 20))
        let (host, status) = unpacked(
            main + file("a.txt", 0, 0, "stored") + file("b.txt", 1, 0, "packed") + file("c.txt", 0, 0x4000, "closed"))
        #expect(status == EM_END)
        #expect(host.names == ["a.txt", "b.txt", "c.txt"])
        #expect(host.texts == ["stored", "", ""])
        #expect(host.children[1].flags & EM_OBJECT_UNSUPPORTED != 0)
        #expect(host.children[2].flags & EM_OBJECT_ENCRYPTED != 0)
    }

    @Test func blocksOfEGG() throws {
        let end: [UInt8] = [0x22, 0x82, 0xE2, 0x08]
        func block(_ method: UInt8, _ size: Int, _ data: [UInt8]) -> [UInt8] {
            [0x13, 0x0C, 0xB5, 0x02, method, 0] + little(size, 4) + little(data.count, 4) + [0, 0, 0, 0] + end + data
        }
        func file(_ name: String, _ blocks: [UInt8]) -> [UInt8] {
            [0xE3, 0x90, 0x85, 0x0A] + little(0, 4) + little(0, 8) + [0xAC, 0x91, 0x85, 0x0A, 0]
                + little(name.utf8.count, 2) + Array(name.utf8) + end + blocks
        }
        var archive: [UInt8] = Array("EGGA".utf8) + little(0x100, 2) + little(1, 4) + little(0, 4) + end
        archive += file("a.txt", block(0, 3, Array("one".utf8)) + block(1, 3, deflated(Array("two".utf8))))
        archive += file("b.txt", block(3, 3, Array("azo".utf8))) + end
        let (host, status) = unpacked(archive)
        #expect(status == EM_END)
        #expect(host.names == ["a.txt", "b.txt"])
        #expect(host.texts == ["onetwo", ""])
        #expect(host.children[1].flags & EM_OBJECT_UNSUPPORTED != 0)
    }

    @Test func filesOfCompress() {
        let file: [UInt8] =
            [0x53, 0x5A, 0x44, 0x44, 0x88, 0xF0, 0x27, 0x33, 0x41, 0x45] + little(10, 4)
            + [0b0000_0111, 0x61, 0x62, 0x63, 0xF0, 0xF4]
        #expect(unpacked(file).host.texts == ["abcabcabca"])
    }

    @Test func onlyRecognised() {
        for head in ["LRZI", "Inno Setup Setup Data (6.0.0)"] {
            let (host, status) = unpacked(Array(head.utf8) + [UInt8](repeating: 0, count: 64))
            #expect(status == EM_END)
            #expect(host.flags & EM_OBJECT_UNSUPPORTED != 0, "\(head)")
        }
    }
}

/// Programs as UPX leaves them: literals, one copy and the end mark, without a packer.
@Suite struct UPXTests {
    /// NRV2B with its bits in words of four bytes.
    private struct Encoder {
        var bytes: [UInt8] = []
        private var place = 0
        private var count = 32

        mutating func bit(_ value: Int) {
            if count == 32 {
                place = bytes.count
                bytes += [0, 0, 0, 0]
                count = 0
            }
            // The highest bit of the word first.
            if value != 0 { bytes[place + 3 - count / 8] |= 0x80 >> UInt8(count % 8) }
            count += 1
        }

        mutating func literal(_ byte: UInt8) {
            bit(1)
            bytes.append(byte)
        }

        /// The code of a distance's high part: after each bit, whether it was the last.
        private mutating func code(_ value: Int) {
            let width = Int.bitWidth - value.leadingZeroBitCount - 1
            for index in 0..<width {
                bit(value >> (width - 1 - index) & 1)
                bit(index == width - 1 ? 1 : 0)
            }
        }

        /// At least five bytes from so many back.
        mutating func copy(_ length: Int, from distance: Int) {
            bit(0)
            code(((distance - 1) >> 8) + 3)
            bytes.append(UInt8(truncatingIfNeeded: distance - 1))
            bit(0)
            bit(0)
            code(length - 3)
        }

        mutating func end() {
            bit(0)
            code(0x100_0002)
            bytes.append(0xFF)
        }
    }

    private func packed(_ data: [UInt8]) -> [UInt8] {
        var encoder = Encoder()
        for byte in data { encoder.literal(byte) }
        encoder.end()
        return encoder.bytes
    }

    private func portable(sections: [(size: Int, address: Int, rawSize: Int, offset: Int)], entry: Int) -> [UInt8] {
        var header = Array("PE\u{0}\u{0}".utf8) + little(0x14C, 2) + little(sections.count, 2) + little(0, 12)
        header += little(96, 2) + little(0x102, 2)
        header += little(0x10B, 2) + little(0, 2) + little(0x20, 4) + little(0, 8) + little(entry, 4)
        header += little(0x1000, 4) + little(0x2000, 4) + little(0x400000, 4) + little(0x1000, 4) + little(0x200, 4)
        header += [UInt8](repeating: 0, count: 24 + 96 - header.count)
        for section in sections {
            header += Array(".text\u{0}\u{0}\u{0}".utf8) + little(section.size, 4) + little(section.address, 4)
            header += little(section.rawSize, 4) + little(section.offset, 4) + [UInt8](repeating: 0, count: 16)
        }
        return header
    }

    @Test func programForWindows() throws {
        // A call at 3 whose target the filter made absolute, big-endian, with its mark before it.
        var image: [UInt8] = Array("abc".utf8) + [0xE8, 0x77, 0, 0, 0x14]
        image += Array("text of the program".utf8)
        image += [UInt8](repeating: 0x90, count: 0x20 - image.count)
        let original = portable(sections: [(0x20, 0x1000, 0x20, 0x200)], entry: 0x1000)
        let all = image + original + little(image.count, 4)
        let stream = packed(all)
        let dos = Array("MZ".utf8) + [UInt8](repeating: 0, count: 58) + little(64, 4)
        let rawSize = stream.count + 64
        var file =
            dos
            + portable(
                sections: [(0x2000, 0x1000, 0, 0x200), (0x1000, 0x3000, rawSize, 0x200)], entry: 0x3000 + stream.count)
        file += [UInt8](repeating: 0, count: 0x200 - 32 - file.count)
        file += Array("UPX!".utf8) + [13, 9, 2, 9] + little(0, 8) + little(all.count, 4) + little(stream.count, 4)
        file += little(0, 4) + [0x26, 0x77, 0, 0]
        file += stream
        file += [0x60, 0xBE] + little(0x403000, 4) + [0x8D, 0xBE] + little(-0x2000, 4) + [0x57]
        file += [UInt8](repeating: 0, count: 0x200 + rawSize - file.count)
        let (host, status) = unpacked(file)
        #expect(status == EM_END)
        let child = try #require(host.children.first { text($0.format) == "UPX" })
        #expect(child.type == EM_TYPE_PE)
        #expect(child.data.count == 0x220)
        #expect(text(Array(child.data[0x208..<0x21B])) == "text of the program")
        // 0x14 less the place behind the opcode.
        #expect(Array(child.data[0x203..<0x208]) == [0xE8, 0x10, 0, 0, 0])
        #expect(Array(child.data[64..<64 + original.count]) == original)
    }

    @Test func copies() throws {
        var encoder = Encoder()
        for byte in "ab".utf8 { encoder.literal(byte) }
        encoder.copy(60, from: 2)
        encoder.end()
        let (child, _) = try elf(blocks: [(64 + 56, nil, nil), (62, encoder.bytes, nil)], size: 182)
        #expect(text(Array(child.data.dropFirst(120))) == String(repeating: "ab", count: 31))
    }

    /// A program for Linux with one segment, which begins with the headers.
    private func elf(
        blocks: [(size: Int, packed: [UInt8]?, plain: String?)], size: Int
    ) throws -> (TrialHost.Child, [UInt8]) {
        var header =
            Array("\u{7F}ELF".utf8) + [2, 1, 1, 0] + little(0, 8) + little(2, 2) + little(62, 2) + little(1, 4)
        header += little(0x401000, 8) + little(64, 8) + little(0, 8) + little(0, 4) + little(64, 2) + little(56, 2)
        header += little(1, 2) + little(0, 6)
        header += little(1, 4) + little(5, 4) + little(0, 8) + little(0x400000, 8) + little(0x400000, 8)
        header += little(size, 8) + little(size, 8) + little(0x1000, 8)
        var file = header + little(0, 4) + Array("UPX!".utf8) + little(0, 4) + little(0, 4) + little(size, 4)
        file += little(size, 4)
        for (index, block) in blocks.enumerated() {
            let data = block.packed ?? (index == 0 ? header : Array((block.plain ?? "").utf8))
            file += little(block.size, 4) + little(data.count, 4) + [2, 0, 0, 0] + data
        }
        file += little(0, 4) + Array("UPX!".utf8)
        let (host, status) = unpacked(file)
        #expect(status == EM_END)
        return (try #require(host.children.first { text($0.format) == "UPX" }), header)
    }

    @Test func programForLinux() throws {
        let (child, header) = try elf(
            blocks: [(120, nil, nil), (19, nil, "text of the program")], size: 139)
        #expect(child.type == EM_TYPE_ELF)
        #expect(child.data == header + Array("text of the program".utf8))
    }

    @Test func damagedStreamEnds() throws {
        let (child, _) = try elf(blocks: [(120, nil, nil), (1000, [0, 0, 0, 0, 0, 0, 0, 0], nil)], size: 1120)
        #expect(child.flags & EM_OBJECT_MALFORMED != 0)
    }
}

/// Compiled help, built with one block of LZX that is not packed and one file beside it.
@Suite struct CompiledHelpTests {
    /// Words of 16 bits, the highest bit of each first.
    private func words(_ bits: String) -> [UInt8] {
        var result: [UInt8] = []
        var rest = Substring(bits)
        while !rest.isEmpty {
            let word = rest.prefix(16)
            rest = rest.dropFirst(16)
            let value = Int(word + String(repeating: "0", count: 16 - word.count), radix: 2) ?? 0
            result += little(value, 2)
        }
        return result
    }

    private func binary(_ value: Int, _ width: Int) -> String {
        let digits = String(value, radix: 2)
        return String(repeating: "0", count: width - digits.count) + digits
    }

    private func number(_ value: Int) -> [UInt8] {
        value < 128 ? [UInt8(value)] : [UInt8(0x80 | value >> 7), UInt8(value & 0x7F)]
    }

    private func help(_ text: [UInt8]) -> [UInt8] {
        // No translation of calls; a block that is stored; its size; three distances.
        var stream = words("0" + binary(3, 3) + binary(text.count, 24))
        stream += little(1, 4) + little(1, 4) + little(1, 4) + text
        let control = little(6, 4) + Array("LZXC".utf8) + little(2, 4) + little(1, 4) + little(1, 4) + little(0, 8)
        let table =
            little(2, 4) + little(1, 4) + little(8, 4) + little(40, 4) + little(text.count, 8)
            + little(stream.count, 8) + little(0x8000, 8) + little(0, 8)
        let plain = Array("beside".utf8)
        var content = plain
        var entries: [UInt8] = []
        func entry(_ name: String, _ section: Int, _ offset: Int, _ size: Int) {
            entries += number(name.utf8.count) + Array(name.utf8) + number(section) + number(offset) + number(size)
        }
        entry("/b.txt", 0, 0, plain.count)
        for (name, bytes) in [
            ("Content", stream), ("ControlData", control), ("Transform/{7FC28940}/ResetTable", table),
        ] {
            entry("::DataSpace/Storage/MSCompressed/" + name, 0, content.count, bytes.count)
            content += bytes
        }
        entry("/a.htm", 1, 0, text.count)
        let chunkSize = 1024
        var chunk = Array("PMGL".utf8) + little(chunkSize - 20 - entries.count, 4) + little(0, 4)
        chunk += little(-1, 4) + little(-1, 4) + entries
        chunk += [UInt8](repeating: 0, count: chunkSize - chunk.count)
        var directory = Array("ITSP".utf8) + little(1, 4) + little(0x54, 4) + little(10, 4) + little(chunkSize, 4)
        directory += little(2, 4) + little(1, 4) + little(-1, 4) + little(0, 4) + little(0, 4) + little(-1, 4)
        directory += little(1, 4)
        directory += [UInt8](repeating: 0, count: 0x54 - directory.count)
        directory += chunk
        var head = Array("ITSF".utf8) + little(3, 4) + little(0x60, 4) + [UInt8](repeating: 0, count: 0x48 - 12)
        head += little(0x60, 8) + little(directory.count, 8) + little(0x60 + directory.count, 8)
        return head + directory + content
    }

    @Test func pagesAndFiles() {
        let text = (0..<3000).map { UInt8(truncatingIfNeeded: $0) }
        let (host, status) = unpacked(help(text))
        #expect(status == EM_END)
        #expect(host.names == ["/b.txt", "/a.htm"])
        #expect(host.children.map(\.data) == [Array("beside".utf8), text])
        #expect(host.flags == 0)
    }

    @Test func truncatedHelp() throws {
        let (host, status) = unpacked(Array(help([UInt8](repeating: 7, count: 2000)).dropLast(500)))
        #expect(status == EM_END)
        #expect(host.flags & EM_OBJECT_MALFORMED != 0 || host.flags & EM_OBJECT_UNSUPPORTED != 0)
    }
}
