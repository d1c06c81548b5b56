import Archives
import BytesE
import CModuleABI
import Foundation
import Testing

/// A compressed file, as the tools write it, odd and damaged.
@Suite struct StreamTests {
    static let text = String(repeating: "A short text, which is packed. ", count: 4)
    /// `text` by the tools that are named.
    static let packed = [
        "bzip2":
            "QlpoOTFBWSZTWdm4racAABGVgEAFIAAuaNzAIABQppkYmJiBVUeo00epgiDswUMnRueFTBYksXKlzRYuSckEGSSDR8QPT8XckU4UJDZuK2nA",
        "xz": """
        /Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4AB7ACZdACCICmaDrbCvu500hwBtTyUDegqqisL+ecKJ1YnlX0bzp5xi5CAAAAAA/KIYRNks6B8AAUJ8\
        u6V6ux+2830BAAAAAARZWg==
        """,
        "lzma": "XQAAgAD//////////wAgiApmg62wr7udNIcAbU8lA3oKqorC/nnCidWJ5V9G86ecY9NXc///j4gAAA==",
        "lzip": """
        TFpJUAEMACCICmaDrbCvu500hwBtTyUDegqqisL+ecKJ1YnlX0bzp5xj01dz//+PiAAANSqVunwAAAAAAAAARwAAAAAAAAA=
        """,
        "lz4": "BCJNGGRApyoAAAD/EEEgc2hvcnQgdGV4dCwgd2hpY2ggaXMgcGFja2VkLiAfAEVQa2VkLiAAAAAA5EciqQ==",
        "lz4 -BD -BX": """
        BCJNGHRAvSoAAAD/EEEgc2hvcnQgdGV4dCwgd2hpY2ggaXMgcGFja2VkLiAfAEVQa2VkLiCqtm6LAAAAAORHIqk=
        """,
        "lz4 -l": "AiFMGCoAAAD/EEEgc2hvcnQgdGV4dCwgd2hpY2ggaXMgcGFja2VkLiAfAEVQa2VkLiA=",
        "zstd": "KLUv/QRYNQEA+EEgc2hvcnQgdGV4dCwgd2hpY2ggaXMgcGFja2VkLiABAKuYlBNmBOKp",
        "compress": """
        H52QQUDMQfNGDh0QdMrgocMCxB00acagAZFmDgg4YcasKUPGBYiAAwseTLiw4cOIEytezLix40eBBA0iVMjQIUSJFC1i1MjRI8iY\
        I2mavJlSJ8ueIAA=
        """,
    ]
    /// Formats without an end mark, or that their tools do not take several of.
    static let single: Set = ["lzma", "compress", "lz4 -l"]

    static func bytes(_ tool: String) throws -> [UInt8] {
        [UInt8](try #require(Data(base64Encoded: packed[tool] ?? "")))
    }

    @Test(arguments: packed.keys.sorted()) func whole(_ tool: String) throws {
        let (host, status) = unpacked(try Self.bytes(tool))
        #expect(status == EM_END)
        #expect(host.texts == [Self.text])
        #expect(host.flags == 0)
    }

    @Test(arguments: packed.keys.filter { !single.contains($0) }) func severalAreOneFile(_ tool: String) throws {
        let one = try Self.bytes(tool)
        #expect(unpacked(one + one).host.texts == [Self.text + Self.text])
    }

    @Test(arguments: packed.keys.filter { $0 != "compress" }) func whatLiesBehindIsAnother(_ tool: String) throws {
        let one = try Self.bytes(tool)
        let host = unpacked(one + Array("junk behind it".utf8)).host
        #expect(host.texts == [Self.text, "junk behind it"])
        #expect(host.children.last?.offset == UInt64(one.count))
        #expect(host.flags == 0)
        // Padding is nothing.
        #expect(unpacked(one + [UInt8](repeating: 0, count: 512)).host.texts == [Self.text])
    }

    /// It has no end mark: more codes come out until one is none.
    @Test func behindCompress() throws {
        let host = unpacked(try Self.bytes("compress") + Array("junk behind it".utf8)).host
        #expect(host.texts.first?.hasPrefix(Self.text) == true)
    }

    /// A sum that is wrong, or an end that is missing, hides nothing.
    @Test(arguments: packed.keys.sorted()) func damagedBehindItsContent(_ tool: String) throws {
        let one = try Self.bytes(tool)
        let tail = ["xz": 28, "lzip": 20, "bzip2": 10, "lz4": 8, "lz4 -BD -BX": 8, "zstd": 4][tool] ?? 0
        var damaged = one
        for index in one.count - tail..<one.count { damaged[index] ^= 0x55 }
        #expect(unpacked(damaged).host.texts.first?.hasPrefix(Self.text) == true, "damaged")
        let cut = unpacked(Array(one.dropLast(max(tail, 1)))).host
        #expect(cut.texts.first?.isEmpty == false, "cut")
    }

    /// Nothing comes out: that is told.
    @Test(arguments: ["bzip2", "xz", "zstd", "lz4"]) func cutInItsHead(_ tool: String) throws {
        let host = unpacked(Array(try Self.bytes(tool).prefix(12))).host
        #expect(host.flags & EM_OBJECT_UNSUPPORTED != 0)
    }

    /// Widths of codes up to 10, 12 and 16 bits; the first one begins its table anew.
    @Test(arguments: [("clear-10.Z", 30000), ("width-12.Z", 30000), ("width-16.Z", 60000)])
    func codesOfManyWidths(_ file: String, _ size: Int) throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Streams")
        let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent(file)))
        #expect(unpacked(bytes).host.texts == [Self.words(size)])
    }

    /// What `compress` was given: words that change their kind in the middle.
    private static func words(_ size: Int) -> String {
        var state = 1
        var result: [UInt8] = []
        while result.count < size {
            state = (state * 1_103_515_245 + 12345) & 0x7fff_ffff
            result += Array("word\(state >> 16 & (result.count < size / 2 ? 63 : 1023)) ".utf8)
        }
        return String(decoding: result.prefix(size), as: UTF8.self)
    }

    @Test func codesThatAreNone() {
        // The first code is no byte.
        #expect(unpacked([0x1f, 0x9d, 0x90, 0xff, 0xff, 0xff]).host.flags & EM_OBJECT_MALFORMED != 0)
        // Of eight bits there are bytes only; seventeen there are not.
        #expect(unpacked([0x1f, 0x9d, 0x88, 0x41, 0x84, 0]).host.texts == ["AB"])
        #expect(unpacked([0x1f, 0x9d, 0x91, 0x41, 0x84, 0]).host.children.isEmpty)
    }

    /// Frames that decoders pass over, before and between others.
    @Test(arguments: ["zstd", "lz4", "lz4 -l"]) func skippedFrames(_ tool: String) throws {
        let one = try Self.bytes(tool)
        let skipped: [UInt8] = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]
        #expect(unpacked(skipped + skipped + one).host.texts == [Self.text])
        guard !Self.single.contains(tool) else { return }
        #expect(unpacked(one + skipped + one + skipped).host.texts == [Self.text + Self.text])
    }

    /// A wrong sum of one frame hides no other.
    @Test(arguments: ["zstd", "lz4", "xz", "lzip"]) func behindAWrongSum(_ tool: String) throws {
        let one = try Self.bytes(tool)
        var wrong = one
        wrong[one.count - (["xz": 28, "lzip": 20][tool] ?? 1)] ^= 1
        #expect(unpacked(wrong + one).host.texts == [Self.text + Self.text])
    }

    /// A few bytes of a stream before an archive: all behind them is an object of its own.
    @Test(arguments: [[0x1f, 0x9d, 0x90, 0xff, 0xff, 0xff], Array("BZh91AY&SY????????????????????".utf8)])
    func archiveBehindABadHead(_ head: [UInt8]) {
        var zip = ZIPBuilder()
        zip.add("a.txt", "hidden")
        let archive = zip.finished()
        let host = unpacked(head + archive).host
        #expect(
            host.children.contains { $0.data.count >= archive.count && $0.data.suffix(archive.count) == archive[...] })
    }

    /// Other properties than those that most encoders use.
    @Test func otherProperties() throws {
        let bytes = [UInt8](
            try #require(
                Data(base64Encoded: "XgAAgAD//////////wAgiApmg5WzU0krNQ2qTm9UEKUJ0/cxO5pmL0P/Y7qkOKBHfz9sRav//v6gAA=="))
        )
        #expect(bytes[0] != 0x5d)
        #expect(unpacked(bytes).host.texts == [Self.text])
    }

    /// An entry without a size whose stream claims what is behind it.
    @Test func entryThatCoversAnother() {
        var zip = ZIPBuilder()
        let inner = ZIPBuilder.Header(name: Array("b.txt".utf8), packed: 6, size: 6)
        var cover: [UInt8] = [0x50, 0x2a, 0x4d, 0x18, 200, 0, 0, 0]
        _ = zip.local(.init(name: Array("a".utf8), method: 93, flags: 8, packed: 0, size: 0), cover)
        _ = zip.local(inner, Array("hidden".utf8))
        cover = zip.bytes + [UInt8](repeating: 0x41, count: 300)
        #expect(unpacked(cover).host.texts.contains("hidden"))
    }
}
