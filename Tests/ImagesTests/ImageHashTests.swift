import BytesE
import Foundation
import Images
import Testing

/// The hashes are those that `sigtool --fuzzy-img` of ClamAV 1.4.6 gives for the same files. Most were written with Pillow; the
/// interlaced PNG, which has every filter in every pass, by a script.
@Suite("Hashes of pictures")
struct ImageHashTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
        "Samples")

    private func sample(_ name: String) throws -> [UInt8] {
        try [UInt8](Data(contentsOf: Self.folder.appendingPathComponent(name)))
    }

    /// - Parameter memory: bytes that reading may take.
    private func hash(_ bytes: [UInt8], memory: Int = 1 << 20, steps: Int = .max) -> UInt64? {
        bytes.withUnsafeBufferPointer { imageHash(of: ByteView($0), memory: memory, steps: steps) }
    }

    private static let expected: KeyValuePairs<String, UInt64> = [
        "24bit.bmp": 0xed49_9a36_2499_b327, "32bit.bmp": 0xed49_9a36_2499_b327, "8bit.bmp": 0xed49_9a36_2499_b327,
        "1bit.bmp": 0xed49_9b36_3499_3326, "plain.gif": 0xed49_9a36_2499_b327, "interlaced.gif": 0xed49_9a36_2499_b327,
        "rgb.png": 0xed49_9a36_2499_b327, "rgba.png": 0xed49_9a36_2499_b327, "grey.png": 0xed49_9a36_2499_b327,
        "grey-alpha.png": 0xed49_9a36_2499_b327, "grey-16bit.png": 0xed49_9a36_2499_b327,
        "palette.png": 0xed49_9a36_2499_b327, "palette-2bit.png": 0xed49_9ab6_b499_92a4,
        "1bit.png": 0xed49_9b36_3499_3326, "interlaced.png": 0xed49_9a36_2499_b327,
        "whole.jpg": 0xed49_9a36_2499_b327, "halves.jpg": 0xed49_9a36_2499_b327, "across.jpg": 0xed49_9a36_3499_b326,
        "progressive.jpg": 0xed49_9a36_3499_b326, "grey.jpg": 0xed49_9a36_3499_b326, "rgb.jpg": 0xed49_9a36_3499_b326,
        "restarts.jpg": 0xed49_9a36_2499_b327,
    ]

    @Test func everyFormatHasItsHash() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).sorted()
        #expect(names == Self.expected.map(\.key).sorted())
        for (name, expected) in Self.expected { #expect(hash(try sample(name)) == expected, "\(name)") }
    }

    @Test func whatIsDamagedHasNone() throws {
        for name in ["rgb.png", "plain.gif", "24bit.bmp"] {
            let whole = try sample(name)
            #expect(hash(Array(whole.prefix(whole.count / 2))) == nil, "\(name)")
        }
        var filter = try sample("rgb.png")
        filter[25] = 7
        #expect(hash(filter) == nil)
        #expect(hash([]) == nil && hash(Array("no picture".utf8)) == nil)
        // No height, and more pixels than any picture has.
        var size = try sample("rgb.png")
        size.replaceSubrange(20..<24, with: [0, 0, 0, 0])
        #expect(hash(size) == nil)
        size.replaceSubrange(16..<24, with: [0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff])
        #expect(hash(size, memory: .max) == nil)
    }

    @Test func theBudgetIsKept() throws {
        for name in ["rgb.png", "progressive.jpg", "plain.gif", "24bit.bmp"] {
            let bytes = try sample(name)
            #expect(hash(bytes, memory: 45 * 37 - 1) == nil, "\(name)")
            #expect(hash(bytes, steps: 10) == nil, "\(name)")
        }
    }

    /// Every sample cut anywhere and with bytes changed: whatever comes of it, nothing traps.
    @Test func damageOfAllKinds() throws {
        var state: UInt64 = 1
        func random(_ below: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % below
        }
        for (name, _) in Self.expected {
            let whole = try sample(name)
            for _ in 0..<12 {
                var bytes = random(3) == 0 ? Array(whole.prefix(random(whole.count))) : whole
                for _ in 0..<(1 + random(4)) where !bytes.isEmpty {
                    bytes[random(random(2) == 0 ? min(64, bytes.count) : bytes.count)] = UInt8(random(256))
                }
                bytes.withUnsafeBufferPointer { fuzzImages(ByteView($0)) }
            }
        }
    }
}
