import BytesE
import Executables
import Testing

@Suite("Icons")
struct IconTests {
    /// A bitmap of 32 bits a pixel whose colours run from corner to corner, as an icon resource has it.
    static func bitmap(_ side: Int, seed: Int, blue: Bool = true) -> [UInt8] {
        var image = Image(40 + side * side * 4 + (side + 31) / 32 * 4 * side)
        for (value, at) in [(40, 0), (side, 4), (2 * side, 8), (0x0020_0001, 12)] { image.put(UInt64(value), at) }
        for y in 0..<side {
            for x in 0..<side {
                let at = 40 + 4 * (y * side + x)
                image.bytes[at] = blue ? UInt8((x * 255 / side + seed * 37) & 255) : 0
                image.bytes[at + 1] = UInt8(y * 255 / side & 255)
                image.bytes[at + 2] = UInt8((x + y) * seed * 5 & 255)
                image.bytes[at + 3] = 255
            }
        }
        return image.bytes
    }

    static func metrics(_ bitmap: [UInt8]) -> IconMetrics? {
        bitmap.withUnsafeBufferPointer { IconImage(bitmap: ByteView($0)).map { IconMetrics($0) } }
    }

    static func metrics(digits: String) -> IconMetrics? {
        Array(digits.utf8).withUnsafeBufferPointer { IconMetrics(digits: ByteView($0)) }
    }

    /// Everything in a line that shows what differs.
    static func described(_ metrics: IconMetrics?) -> String {
        guard let metrics else { return "none" }
        func list(_ areas: IconMetrics.Areas) -> String {
            (0..<3).map { "\(areas[$0].average)@\(areas[$0].x),\(areas[$0].y)" }.joined(separator: " ")
        }
        return [
            "\(metrics.side)", list(metrics.color), list(metrics.gray), list(metrics.bright), list(metrics.dark),
            list(metrics.edge), list(metrics.noEdge),
            "\(metrics.red) \(metrics.green) \(metrics.blue) \(metrics.colored)",
        ].joined(separator: "; ")
    }

    /// Measures of three sizes as clamscan prints them; 48 pixels are halved.
    static let measured: [(side: Int, digits: String)] = [
        (
            16,
            "10c1b0a0ba830000968060b52f000a5c103066470703e40a00dc0a04dc0a083f000b6700077c04096a0a0a5506094f0a061e"
                + "00001f00082109001b1e2b57"
        ),
        (
            32,
            "20cac1617a9b1600a880e171fb070c25e0f052ab0014f31400e91608e0151041001763000f8008134e1601401616360b111b"
                + "10041c00001c00120c2c2b42"
        ),
        (
            48,
            "18c951011c150f0bbd3040037b000f5df04096d70f00e80f00e80f0de501004800117c000b86061159100e4010013a040117"
                + "0d0318000c20060823211f5a"
        ),
    ]

    @Test("measures are those of the signatures")
    func measures() {
        for (side, digits) in Self.measured {
            let found = Self.metrics(Self.bitmap(side, seed: 1))
            let expected = Self.metrics(digits: digits)
            #expect(found != nil && Self.described(found) == Self.described(expected))
            if let found, let expected { #expect(found.isSimilar(to: expected)) }
        }
    }

    @Test("another icon is not similar, one without a colour is less so")
    func similarity() throws {
        let icon = try #require(Self.metrics(Self.bitmap(32, seed: 1)))
        #expect(icon.isSimilar(to: icon))
        #expect(try !icon.isSimilar(to: #require(Self.metrics(Self.bitmap(32, seed: 4)))))
        #expect(try !icon.isSimilar(to: #require(Self.metrics(Self.bitmap(16, seed: 1)))))
        #expect(try !icon.isSimilar(to: #require(Self.metrics(Self.bitmap(32, seed: 1, blue: false)))))
    }

    @Test("icons that cannot be compared are none")
    func unreadable() {
        let bitmap = Self.bitmap(32, seed: 1)
        for (value, at, size) in [(8, 0, 1), (300, 4, 2), (8, 4, 2), (20, 4, 1), (0, 14, 1), (3, 14, 1)] {
            var image = Image(0)
            image.bytes = bitmap
            image.put(UInt64(value), at, size)
            #expect(Self.metrics(image.bytes) == nil)
        }
        #expect(Self.metrics(Array(bitmap.dropLast(130))) == nil)
        let digits = Self.measured[0].digits
        #expect(Self.metrics(digits: digits) != nil)
        #expect(Self.metrics(digits: String(digits.dropLast())) == nil)
        #expect(Self.metrics(digits: "11" + digits.dropFirst(2)) == nil)
        #expect(Self.metrics(digits: digits.dropLast(2) + "xx") == nil)
        #expect(Self.metrics(digits: digits.dropLast(2) + "65") == nil)
    }
}
