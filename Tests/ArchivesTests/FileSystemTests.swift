import BytesE
import CModuleABI
import Foundation
import Testing

@testable import Archives

/// File systems made by hand (`tools/fuzz-seeds`); those of real tools are among the samples.
@Suite struct FileSystemTests {
    private let sentence = "hello hello hello hello"

    private func opened(_ name: String) throws -> TrialHost {
        let file = ReplayTests.corpora.appendingPathComponent("formats/" + name)
        let host = TrialHost(memory: 4 << 20)
        _ = try [UInt8](Data(contentsOf: file)).withUnsafeBufferPointer { host.unpack(ByteView($0)) }
        return host
    }

    @Test func ntfs() throws {
        let host = try opened("ntfs/small")
        #expect(host.names == ["a.txt", "a.txt:more", "b.bin", "c.bin"])
        #expect(host.texts[0] == sentence)
        #expect(host.texts[1] == sentence + sentence)
        // A cluster, a hole of two, and a part of a cluster.
        let all = Array(String(repeating: sentence, count: 60).utf8)
        let filled = Array(all[..<512]) + [UInt8](repeating: 0, count: 1024) + Array(all[512..<876])
        #expect(host.children[2].data == filled)
        #expect(host.children[3].data.count == 900)
        // Said to be compressed, but no unit of it is.
        #expect(host.children[3].data == Array(all[..<900]))
        // The last one lies beyond the image.
        #expect(host.flags & EM_OBJECT_TRUNCATED != 0)
    }

    @Test func compressedFilesOfNTFS() throws {
        let host = try opened("ntfs/compressed")
        let children = Dictionary(host.children.map { (text($0.name), $0) }) { first, _ in first }
        func content(_ name: String) -> [UInt8] { children[name]?.data ?? [] }
        // Packed units, one as it is, a hole, and one that is not whole.
        let mixed = content("mixed")
        #expect(mixed.count == 9200 + 16_384 + 16_384 + 1024 + 690)
        #expect(Array(mixed[..<9200]) == Array(String(repeating: sentence, count: 400).utf8))
        #expect(mixed[25_584..<41_968].allSatisfy { $0 == 0 })
        #expect(Array(mixed[9200..<10_224]) == Array(mixed[41_968..<42_992]))
        #expect(Array(mixed.suffix(690)) == Array(String(repeating: sentence, count: 30).utf8))
        let short = content("short")
        #expect(Array(short.suffix(322)) == Array(String(repeating: sentence, count: 14).utf8))
        #expect(Array(short.prefix(400)) == Array(mixed[9200..<9600]))
        #expect(content("split") == short)
        // A piece of a file whose size another record has: a whole unit.
        #expect(content("later") == short + [UInt8](repeating: 0, count: 8192 - short.count))
        for name in ["later:odd", "large"] {
            #expect(children[name].map { $0.flags & EM_OBJECT_UNSUPPORTED != 0 } == true, "\(name)")
        }
        // What stands in the record is never packed.
        #expect(content("large:inside") == Array(sentence.utf8))
        #expect(children["damaged"].map { $0.flags & EM_OBJECT_MALFORMED != 0 } == true)
        #expect(children["outside"].map { $0.flags & EM_OBJECT_TRUNCATED != 0 } == true)
    }

    @Test(arguments: ["ext2", "ext4"]) func ext(kind: String) throws {
        let host = try opened("ext/\(kind)")
        #expect(host.names == ["a.txt", "ä.bin"])
        #expect(host.texts.first == sentence)
        let first = Array(String(repeating: sentence, count: 40).utf8) + [UInt8](repeating: 0, count: 104)
        let second = Array(String(repeating: sentence, count: 30).utf8)
        let hole = [UInt8](repeating: 0, count: kind == "ext4" ? 1024 : 0)
        let whole = first + hole + second + [UInt8](repeating: 0, count: 4096)
        #expect(host.children.last?.data == Array(whole[..<(kind == "ext4" ? 4096 : 3000)]))
        #expect(host.flags & EM_OBJECT_MALFORMED != 0)
    }

    @Test func damaged() throws {
        for name in ["ntfs/small", "ntfs/compressed", "ext/ext2", "ext/ext4"] {
            var bytes = try [UInt8](Data(contentsOf: ReplayTests.corpora.appendingPathComponent("formats/" + name)))
            for index in stride(from: 1024, to: min(9000, bytes.count), by: 7) {
                let old = bytes[index]
                bytes[index] ^= 0xFF
                bytes.withUnsafeBufferPointer { fuzzArchive(ByteView($0)) }
                if index % 3 == 0 { bytes[index] = old }
            }
        }
    }
}

/// ISO 9660 images of which the trees differ, made by hand to ECMA-119.
@Suite struct ISOTreeTests {
    private func record(_ name: [UInt8], _ block: Int, _ size: Int, isFolder: Bool = false) -> [UInt8] {
        let length = 33 + name.count + (name.count + 1) % 2
        let fields =
            [UInt8(length), 0] + little(block, 4) + [0, 0, 0, 0] + little(size, 4) + [UInt8](repeating: 0, count: 11)
            + [isFolder ? 2 : 0, 0, 0, 1, 0, 0, 1, UInt8(name.count)]
        return (fields + name + [0]).dropLast(fields.count + name.count + 1 - length)
    }

    private func sector(_ bytes: [UInt8]) -> [UInt8] { bytes + [UInt8](repeating: 0, count: 2048 - bytes.count) }

    private func descriptor(_ kind: UInt8, root: Int) -> [UInt8] {
        var bytes = sector([kind] + Array("CD001".utf8) + [1])
        bytes.replaceSubrange(128..<130, with: little(2048, 2))
        bytes.replaceSubrange(156..<190, with: record([0], root, 2048, isFolder: true))
        if kind == 2 { bytes.replaceSubrange(88..<91, with: Array("%/E".utf8)) }
        return bytes
    }

    private func image(second: [UInt8]) -> [UInt8] {
        let dots = record([0], 20, 2048, isFolder: true) + record([1], 20, 2048, isFolder: true)
        return [UInt8](repeating: 0, count: 16 * 2048) + descriptor(1, root: 20) + descriptor(2, root: 21)
            + sector([0xFF] + Array("CD001".utf8) + [1]) + sector([])
            + sector(dots + record(Array("A.EXE;1".utf8), 22, 9) + record(Array("B.TXT;1".utf8), 23, 6))
            + sector(dots + second) + sector(Array("the first".utf8)) + sector(Array("second".utf8))
    }

    @Test func aFileOfOneTreeOnly() {
        let both = image(second: record([0, 0x62], 23, 6))
        let (host, _) = unpacked(both)
        #expect(host.texts.contains("the first"))
        #expect(host.names.contains("A.EXE;1"))
    }

    @Test func equalTrees() {
        let host = TrialHost(memory: 4 << 20)
        let bytes = image(second: record([0, 0x61], 22, 9) + record([0, 0x62], 23, 6))
        _ = bytes.withUnsafeBufferPointer { bytes in
            Array("ISO-TREES".utf8).withUnsafeBufferPointer { host.unpack(ByteView(bytes), as: ByteView($0)) }
        }
        #expect(host.children.isEmpty)
        #expect(host.flags == 0)
    }
}
