import BytesE

/// A bitmap file (BITMAPFILEHEADER, BITMAPINFOHEADER and later ones of the Windows documentation), not compressed.
struct BMPImage {
    private let bytes: ByteView

    init(_ bytes: ByteView) {
        self.bytes = bytes
    }

    func decoded(_ budget: ImageBudget) -> GreyImage? {
        guard let start = bytes.load(UInt32.self, at: 10), let head = bytes.load(UInt32.self, at: 14), head >= 40,
            let width = bytes.load(Int32.self, at: 18), let height = bytes.load(Int32.self, at: 22),
            let depth = bytes.load(UInt16.self, at: 28), let compression = bytes.load(UInt32.self, at: 30),
            let used = bytes.load(UInt32.self, at: 46), width > 0, height != 0, height != .min,
            // Masks for 32 bits say what is usual; others are rare.
            compression == 0 || compression == 3 && depth == 32,
            let image = budget.image(width: Int(width), height: Int(height.magnitude))
        else { return nil }
        let colors = bytes.dropFirst(14 + Int(head)).prefix(4 * (used == 0 ? 256 : Int(min(used, 256))))
        let stride = (Int(width) * Int(depth) + 31) / 32 * 4
        for y in 0..<image.height {
            guard budget.mayGoOn() else { return nil }
            let place = Int(start) + stride * (height < 0 ? y : image.height - 1 - y)
            let row = bytes.slice(place, place + stride)
            guard row.count == stride else { return nil }
            for x in 0..<image.width {
                switch depth {
                case 24: image[x, y] = GreyImage.shade(row[3 * x + 2], row[3 * x + 1], row[3 * x])
                case 32: image[x, y] = GreyImage.shade(row[4 * x + 2], row[4 * x + 1], row[4 * x])
                case 1, 4, 8:
                    let bit = x * Int(depth)
                    let mask = UInt8(truncatingIfNeeded: (1 << Int(depth)) - 1)
                    let index = 4 * Int(row[bit / 8] >> UInt8(8 - Int(depth) - bit % 8) & mask)
                    guard index + 2 < colors.count else { continue }
                    image[x, y] = GreyImage.shade(colors[index + 2], colors[index + 1], colors[index])
                default: return nil
                }
            }
        }
        return image
    }
}
