package import BytesE

/// What a picture looks like, in 64 bits: the hash that signatures name as `fuzzy_img`.
///
/// The picture in grey is made 32 pixels wide and high; of its cosine transform the 8 × 8 lowest frequencies are compared with
/// their median. ClamAV's documentation: LogicalSignatures, "Image Fuzzy Hash subsignatures".
///
/// - Returns: the hash, its first byte the highest; nil for what is no PNG, JPEG, GIF or BMP, is damaged, or takes more than
///   the budget has.
package func imageHash(of bytes: ByteView, _ budget: ImageBudget) -> UInt64? {
    guard let image = greyImage(bytes, budget), let small = ImageReduction.reduced(image, budget) else { return nil }
    return CosineTransform.hash(small)
}

private func greyImage(_ bytes: ByteView, _ budget: ImageBudget) -> GreyImage? {
    if let head = bytes.loadBigEndian(UInt32.self, at: 0) {
        switch head {
        case 0x8950_4e47: return PNGImage(bytes).decoded(budget)
        case 0x4749_4638: return GIFImage(bytes).decoded(budget)
        default: break
        }
        if head >> 8 == 0xff_d8ff { return JPEGImage(bytes, budget).decoded() }
        if head >> 16 == 0x424d { return BMPImage(bytes).decoded(budget) }
    }
    return nil
}

/// Makes pictures 32 × 32 with the filter of Lanczos over three lobes, first in height, then in width.
enum ImageReduction {
    static let side = 32

    /// Rows of `side` values between 0 and 1; nil when the scan must end.
    static func reduced(_ image: GreyImage, _ budget: ImageBudget) -> [Float]? {
        var small = [Float](repeating: 0, count: side * side)
        var row = [Float](repeating: 0, count: image.width)
        let columns = (0..<side).map { weights($0, of: image.width) }
        for y in 0..<side {
            let (first, weights) = weights(y, of: image.height)
            for x in 0..<row.count { row[x] = 0 }
            for (index, weight) in weights.enumerated() {
                guard budget.mayGoOn() else { return nil }
                for x in 0..<row.count { row[x] += Float(image[x, first + index]) * weight }
            }
            for x in 0..<side {
                let (first, weights) = columns[x]
                var sum: Float = 0
                for (index, weight) in weights.enumerated() { sum += row[first + index] * weight }
                small[y * side + x] = Float(Int(max(0, min(255, sum)) + 0.5)) / 255
            }
        }
        return small
    }

    /// What each pixel around adds to one of the result: the first one's number, and their weights.
    private static func weights(_ place: Int, of count: Int) -> (first: Int, weights: [Float]) {
        let ratio = Float(count) / Float(side)
        let scale = max(ratio, 1)
        let reach = 3 * scale
        let centre = (Float(place) + 0.5) * ratio
        let first = max(0, min(count - 1, floor(centre - reach)))
        let end = max(first + 1, min(count, -floor(-(centre + reach))))
        var weights: [Float] = []
        var sum: Float = 0
        for index in first..<end {
            let weight = lanczos((Float(index) - (centre - 0.5)) / scale)
            weights.append(weight)
            sum += weight
        }
        for index in 0..<weights.count { weights[index] /= sum }
        return (first, weights)
    }

    private static func floor(_ value: Float) -> Int {
        let whole = Int(value)
        return Float(whole) > value ? whole - 1 : whole
    }

    private static func lanczos(_ x: Float) -> Float { abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0 }

    private static func sinc(_ x: Float) -> Float {
        let angle = x * Float.pi
        return angle == 0 ? 1 : Float(sine(Double(angle))) / angle
    }
}

/// The cosine transform (of the second kind) of 32 × 32 values.
enum CosineTransform {
    private static let side = ImageReduction.side
    private static let kept = 8

    static func hash(_ values: [Float]) -> UInt64 {
        // Columns first, then rows; of the result only what is kept.
        var columns = [Float](repeating: 0, count: kept * side)
        for x in 0..<side {
            let column = transformed((0..<side).map { values[$0 * side + x] })
            for frequency in 0..<kept { columns[frequency * side + x] = column[frequency] }
        }
        var low: [Float] = []
        for frequency in 0..<kept {
            low += transformed(Array(columns[frequency * side..<(frequency + 1) * side])).prefix(kept)
        }
        let sorted = low.sorted()
        let median = (sorted[31] + sorted[32]) / 2
        return low.reduce(0) { $0 << 1 | ($1 > median ? 1 : 0) }
    }

    /// Sums and differences of what lies opposite are taken apart, so that the frequencies that a symmetrical picture does
    /// not have are zero and not what rounding left.
    private static func transformed(_ values: [Float]) -> [Float] {
        let count = values.count
        guard count > 1 else { return values }
        let half = count / 2
        let sums = transformed((0..<half).map { values[$0] + values[count - 1 - $0] })
        let differences = (0..<half).map { values[$0] - values[count - 1 - $0] }
        var result = [Float](repeating: 0, count: count)
        for index in 0..<half {
            result[2 * index] = sums[index]
            var sum = 0.0
            for place in 0..<half {
                let angle = Double((2 * place + 1) * (2 * index + 1)) * Double.pi / Double(2 * count)
                sum += Double(differences[place]) * sine(angle + Double.pi / 2)
            }
            result[2 * index + 1] = Float(sum)
        }
        return result
    }
}

/// The sine of some turns, without a mathematics library: to half a turn, then by its series.
func sine(_ angle: Double) -> Double {
    let turns = Int(angle / Double.pi + (angle < 0 ? -0.5 : 0.5))
    let rest = angle - Double(turns) * Double.pi
    let square = rest * rest
    var term = rest
    var sum = rest
    var index = 2.0
    while index < 24 {
        term *= -square / (index * (index + 1))
        sum += term
        index += 2
    }
    return turns & 1 == 0 ? sum : -sum
}
