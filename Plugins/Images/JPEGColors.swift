/// The samples of one component of a JPEG picture, as many as it has.
struct JPEGPlane {
    let width, height: Int
    /// Pixels for which one sample stands, across and down.
    let stepX, stepY: Int
    private let samples: UnsafeMutablePointer<UInt8>

    /// nil when there is no memory, or the scan must end.
    init?(_ component: JPEGFrame.Component, of frame: JPEGFrame, _ quantization: [UInt16], _ budget: ImageBudget) {
        let width = 8 * component.stride
        let height = 8 * component.strideRows
        guard let memory = budget.allocate(width * height) else { return nil }
        let samples = memory.assumingMemoryBound(to: UInt8.self)
        for row in 0..<component.strideRows {
            guard budget.mayGoOn() else { return nil }
            for column in 0..<component.stride {
                JPEGTransform.samples(component.block(column, row), quantization, 64 * component.quantization) {
                    samples[(8 * row + $1) * width + 8 * column + $0] = $2
                }
            }
        }
        self.width = width
        self.height = height
        self.samples = samples
        stepX = frame.mostAcross / component.across
        stepY = frame.mostDown / component.down
    }

    @inline(__always) private func sample(_ x: Int, _ y: Int) -> Int {
        Int(samples[max(0, min(height - 1, y)) * width + max(0, min(width - 1, x))])
    }

    /// The samples of a row of the picture, one for each pixel: where one stands for two, three parts of the nearer one and
    /// one of the other.
    func fill(_ row: inout [UInt8], y: Int) {
        let near = y / stepY
        let far = stepY == 2 ? near + (y & 1 == 0 ? -1 : 1) : near
        func value(_ x: Int) -> Int {
            stepY == 2 ? (3 * sample(x, near) + sample(x, far) + 2) >> 2 : sample(x, near)
        }
        for x in 0..<row.count {
            guard stepX == 2 else {
                row[x] = UInt8(value(x / stepX))
                continue
            }
            let place = x / 2
            row[x] = UInt8((3 * value(place) + value(place + (x & 1 == 0 ? -1 : 1)) + 2) >> 2)
        }
    }
}

/// Colours out of luminance and chrominance (ITU-T T.871), with fourteen bits behind the point.
enum JPEGColors {
    static func shade(_ luminance: UInt8, _ blue: UInt8, _ red: UInt8) -> UInt8 {
        let base = Int(luminance) << 14 + 8192
        let (blue, red) = (Int(blue) - 128, Int(red) - 128)
        func part(_ value: Int) -> UInt8 { UInt8(max(0, min(255, value >> 14))) }
        return GreyImage.shade(
            part(base + 22_970 * red), part(base - 11_700 * red - 5_638 * blue), part(base + 29_032 * blue))
    }
}
