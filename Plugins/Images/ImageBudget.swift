/// Where reading a picture has its memory from, and whether it may go on.
package struct ImageBudget {
    /// Zeroed memory, or nil when there is none left; it is given back by who made the budget.
    let allocate: (_ bytes: Int) -> UnsafeMutableRawPointer?
    /// Called at least once for each 64 KiB and each row.
    let mayGoOn: () -> Bool

    package init(
        allocate: @escaping (_ bytes: Int) -> UnsafeMutableRawPointer?, mayGoOn: @escaping () -> Bool
    ) {
        self.allocate = allocate
        self.mayGoOn = mayGoOn
    }

    /// Pixels that a picture may have: what has more is no picture that somebody sends to deceive.
    static let mostPixels = 32 << 20

    /// Memory for a grey picture; nil when it is empty, too large, or there is none left.
    func image(width: Int, height: Int) -> GreyImage? {
        guard width > 0, height > 0, width <= 65_535, height <= 65_535, width * height <= Self.mostPixels,
            let memory = allocate(width * height)
        else { return nil }
        return GreyImage(width: width, height: height, pixels: memory.assumingMemoryBound(to: UInt8.self))
    }
}

/// A picture in shades of grey, row by row from the top.
struct GreyImage {
    let width, height: Int
    private let pixels: UnsafeMutablePointer<UInt8>

    fileprivate init(width: Int, height: Int, pixels: UnsafeMutablePointer<UInt8>) {
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// Places outside of the picture are black, and stay so.
    @inline(__always) subscript(x: Int, y: Int) -> UInt8 {
        get { x >= 0 && x < width && y >= 0 && y < height ? pixels[y * width + x] : 0 }
        nonmutating set {
            if x >= 0, x < width, y >= 0, y < height { pixels[y * width + x] = newValue }
        }
    }

    /// A colour as the shade that television has for it (ITU-R BT.601), rounded.
    @inline(__always) static func shade(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt8 {
        let sum: Float = 0.299 * Float(red) + 0.587 * Float(green) + 0.114 * Float(blue)
        return UInt8(min(255, sum + 0.5))
    }
}
