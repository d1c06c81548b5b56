package import BytesE

/// An icon as it looks on white, at about one of the three sizes by which icons are compared: 16, 24 or 32 pixels.
package struct IconImage: Sendable {
    package let side: Int
    /// Red, green and blue in the low three bytes, row by row from the top.
    private(set) var pixels: [UInt32]

    private static let largest = 256
    private static let smallest = 16

    /// Reads a bitmap with its mask, as icon resources have it (BITMAPINFOHEADER of the Windows documentation).
    ///
    /// nil for icons in other formats (PNG), for those that are cut, too small, too large or far from square.
    package init?(bitmap bytes: ByteView) {
        let head = Fields(bytes: bytes, start: 0)
        guard bytes.count >= 40, head.long(0) >= 40, Int(head.long(0)) <= bytes.count else { return nil }
        let width = Int(head.long(4))
        let height = Int(head.long(8) / 2)
        guard width <= Self.largest, height <= Self.largest, width >= Self.smallest, height >= Self.smallest,
            width >= height * 3 / 4, height >= width * 3 / 4
        else { return nil }
        let bitmap = Bitmap(
            bytes: bytes, start: Int(head.long(0)), width: width, height: height, depth: Int(head.half(14)))
        guard let image = bitmap.decoded() else { return nil }
        (side, pixels) = Self.scaled(Self.onWhite(image), width: width, height: height)
    }

    /// Lays what is transparent over white.
    private static func onWhite(_ image: [UInt32]) -> [UInt32] {
        image.map { color in
            let alpha = color >> 24
            func blended(_ shift: UInt32) -> UInt32 { (255 - alpha + alpha * (color >> shift & 0xff) / 255) & 0xff }
            return blended(16) << 16 | blended(8) << 8 | blended(0)
        }
    }

    /// Halves multiples of 24 and 32, and takes the nearest pixels of other sizes.
    private static func scaled(_ image: [UInt32], width: Int, height: Int) -> (Int, [UInt32]) {
        if width == height, width == 16 || width == 24 || width == 32 { return (width, image) }
        if width == height, width % 32 == 0 || width % 24 == 0 {
            var image = image
            var side = width
            while side > 32 {
                let half = side / 2
                var smaller = [UInt32](repeating: 0, count: half * half)
                for y in 0..<half {
                    for x in 0..<half {
                        let at = 2 * y * side + 2 * x
                        smaller[y * half + x] = mean(
                            mean(image[at], image[at + 1]), mean(image[at + side], image[at + side + 1]))
                    }
                }
                (image, side) = (smaller, half)
            }
            return (side, image)
        }
        func distance(_ size: Int) -> Int { abs(width - size) + abs(height - size) }
        let side = distance(32) < distance(24) ? 32 : distance(24) < distance(16) ? 24 : 16
        let stepX = Double(width) / Double(side)
        let stepY = Double(height) / Double(side)
        var result = [UInt32](repeating: 0, count: side * side)
        for y in 0..<side {
            let row = Int(Double(y) * stepY) * width
            for x in 0..<side { result[y * side + x] = image[min(row + Int(Double(x) * stepX + 0.5), image.count - 1)] }
        }
        return (side, result)
    }

    /// The mean of each of the four bytes, rounded down.
    private static func mean(_ a: UInt32, _ b: UInt32) -> UInt32 { (((a ^ b) & 0xfefe_fefe) >> 1) &+ (a & b) }
}

/// A bitmap behind its header: palette, pixels from the bottom up, then the mask of what is transparent.
private struct Bitmap {
    let bytes: ByteView
    /// Where the header ends.
    let start: Int
    let width, height, depth: Int

    /// The pixels with their opacity in the high byte; nil when the bitmap is cut or has a depth without meaning.
    func decoded() -> [UInt32]? {
        let hasPalette = depth == 1 || depth == 4 || depth == 8
        guard hasPalette || depth == 16 || depth == 24 || depth == 32 else { return nil }
        let first = start + (hasPalette ? 4 << depth : 0)
        let line = rounded(width * depth)
        let maskLine = depth == 32 ? 0 : rounded(width)
        guard first + height * (line + maskLine) <= bytes.count else { return nil }
        var image = [UInt32](repeating: 0, count: width * height)
        for y in 0..<height {
            for x in 0..<width { image[(height - 1 - y) * width + x] = pixel(x, first + y * line) }
        }
        // 32 bits without any opacity are 24 with padding: the mask counts.
        let usesMask = depth != 32 || image.allSatisfy { $0 >> 24 == 0 }
        guard usesMask else { return image }
        let mask = first + height * line
        let hasMask = mask + height * rounded(width) <= bytes.count
        for y in 0..<height {
            for x in 0..<width {
                let bit = hasMask ? bytes[mask + y * rounded(width) + x / 8] >> (7 - UInt8(x % 8)) & 1 : 0
                if bit == 0 { image[(height - 1 - y) * width + x] |= 0xff00_0000 }
            }
        }
        return image
    }

    /// Bytes of a line of so many bits: whole words.
    private func rounded(_ bits: Int) -> Int { (bits + 31) / 32 * 4 }

    private func pixel(_ x: Int, _ line: Int) -> UInt32 {
        switch depth {
        case 24:
            let at = line + 3 * x
            return UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2]) << 16
        case 32: return bytes.load(UInt32.self, at: line + 4 * x) ?? 0
        case 16:
            // Five bits each, spread as ClamAV spreads them.
            let low = UInt32(bytes[line + 2 * x])
            let high = UInt32(bytes[line + 2 * x + 1])
            let (b, g, r) = (low & 0x1f, low >> 5 | (high & 3) << 3, high & 0xfc)
            return (b << 3 | b >> 2) | (g << 3 | g >> 2) << 11 | (r << 3 | r >> 2) << 17
        default:
            let bit = x * depth
            let index = UInt32(bytes[line + bit / 8]) >> UInt32(8 - depth - bit % 8) & (1 << UInt32(depth) - 1)
            return bytes.load(UInt32.self, at: start + 4 * Int(index)) ?? 0
        }
    }
}
