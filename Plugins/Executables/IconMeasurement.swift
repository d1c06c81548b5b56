import BytesE

extension IconMetrics {
    /// Measures an icon.
    package init(_ image: IconImage) {
        self.init()
        side = image.side
        let window = side / 4
        var saturation = [UInt32](repeating: 0, count: side * side)
        var light = saturation
        var counts = (red: 0, green: 0, blue: 0, all: 0)
        for (i, pixel) in image.pixels.enumerated() {
            let (r, g, b) = (Int(pixel >> 16 & 0xff), Int(pixel >> 8 & 0xff), Int(pixel & 0xff))
            let value = max(r, g, b)
            let delta = value - min(r, g, b)
            let s = delta == 0 ? 0 : 255 * delta / value
            saturation[i] = UInt32(wholeSquareRoot(Double(s * s * value)))
            light[i] = UInt32(value)
            if s > 85, value > 85 {
                counts.all += 1
                counts.red += 100 - 100 * abs(g - b) / delta
                counts.green += 100 - 100 * abs(r - b) / delta
                counts.blue += 100 - 100 * abs(r - g) / delta
            }
        }
        let pixels = UInt32(window * window)
        let colors = windows(saturation)
        let lights = windows(light)
        color = strongest(colors, by: >, from: 0, dividedBy: pixels)
        gray = strongest(colors, by: <, from: .max, dividedBy: pixels)
        bright = strongest(lights, by: >, from: 0, dividedBy: pixels)
        dark = strongest(lights, by: <, from: .max, dividedBy: pixels)
        let share = counts.all * 100 / side / side
        if share > 5 {
            (red, green, blue) = (counts.red / counts.all, counts.green / counts.all, counts.blue / counts.all)
            colored = share
        }
        let details = windows(detail(image))
        let most = extremes(details, count: share > 5 ? 3 : 6, by: >, from: 0, dividedBy: pixels)
        let least = extremes(details, count: share > 5 ? 3 : 6, by: <, from: .max, dividedBy: pixels)
        for i in 0..<3 {
            edge[i] = most[i]
            noEdge[i] = least[i]
            if share <= 5 {
                color[i] = most[i + 3]
                // The places of the signatures are those of the areas with detail here, too.
                gray[i] = Area(average: least[i + 3].average, x: most[i + 3].x, y: most[i + 3].y)
            }
        }
    }

    /// The sum of each window, by its upper left corner.
    private func windows(_ values: [UInt32]) -> [UInt32] {
        let window = side / 4
        var columns = [UInt32](repeating: 0, count: side * side)
        var sums = columns
        for y in 0...side - window {
            for x in 0..<side {
                var sum: UInt32 = 0
                for k in 0..<window { sum += values[(y + k) * side + x] }
                columns[y * side + x] = sum
            }
            for x in 0...side - window {
                var sum: UInt32 = 0
                for k in 0..<window { sum += columns[y * side + x + k] }
                sums[y * side + x] = sum
            }
        }
        return sums
    }

    private func strongest(
        _ sums: [UInt32], by precedes: (UInt32, UInt32) -> Bool, from start: UInt32, dividedBy pixels: UInt32
    ) -> Areas {
        let found = extremes(sums, count: 3, by: precedes, from: start, dividedBy: pixels)
        var areas = Areas(repeating: Area())
        for i in 0..<3 { areas[i] = found[i] }
        return areas
    }

    /// The windows with the greatest or least sums, none of which overlaps one before it; the last row and the last two
    /// columns do not count.
    private func extremes(
        _ sums: [UInt32], count: Int, by precedes: (UInt32, UInt32) -> Bool, from start: UInt32,
        dividedBy pixels: UInt32
    ) -> [Area] {
        let window = side / 4
        var areas: [Area] = []
        for _ in 0..<count {
            var best = Area(average: start)
            for y in 0..<side - window {
                for x in 0..<side - 1 - window where precedes(sums[y * side + x], best.average) {
                    let overlaps = areas.contains {
                        x + window > $0.x && x < $0.x + window && y + window > $0.y && y < $0.y + window
                    }
                    if !overlaps { best = Area(average: sums[y * side + x], x: x, y: y) }
                }
            }
            areas.append(best)
        }
        for i in areas.indices { areas[i].average /= pixels }
        return areas
    }

    /// How much each pixel differs from those around it: gradients of the distance from gray in the CIELAB space,
    /// the greatest made 255, blurred.
    private func detail(_ image: IconImage) -> [UInt32] {
        let distances = image.pixels.map { Self.distanceFromGray($0) }
        var gradients = [UInt32](repeating: 0, count: side * side)
        var greatest: UInt32 = 0
        for y in 1..<side - 1 {
            for x in 1..<side - 1 {
                func at(_ dx: Int, _ dy: Int) -> Double { distances[(y + dy) * side + x + dx] }
                let left = at(-1, -1) + 2.0 * at(-1, 0) + at(-1, 1)
                let right = at(1, -1) + 2.0 * at(1, 0) + at(1, 1)
                let above = at(-1, -1) + 2.0 * at(0, -1) + at(1, -1)
                let below = at(-1, 1) + 2.0 * at(0, 1) + at(1, 1)
                let (gx, gy) = (left - right, above - below)
                let gradient = UInt32(wholeSquareRoot(gx * gx + gy * gy))
                gradients[y * side + x] = gradient
                greatest = max(greatest, gradient)
            }
        }
        var levels = [UInt32](repeating: 0, count: side * side)
        for y in 1..<side - 1 {
            for x in 1..<side - 1 {
                // A flat icon keeps its blue.
                levels[y * side + x] =
                    greatest > 0 ? gradients[y * side + x] * 255 / greatest : image.pixels[y * side + x] & 0xff
            }
        }
        return blurred(levels)
    }

    /// Blurred with weights 1, 2, 1 along rows, then along columns, where each row takes the one above as it has become.
    private func blurred(_ levels: [UInt32]) -> [UInt32] {
        var rows = [UInt32](repeating: 0, count: side * side)
        for y in 1..<side - 1 {
            for x in 1..<side - 1 {
                let at = y * side + x
                rows[at] = (levels[at - 1] + 2 * levels[at] + levels[at + 1]) / 4
            }
        }
        for y in 1..<side - 1 {
            for x in 1..<side - 1 {
                let at = y * side + x
                rows[at] = (rows[at - side] + 2 * rows[at] + rows[at + side]) / 4
            }
        }
        return rows
    }

    /// The distance of a colour from a medium gray in the CIELAB space (sRGB, D65).
    private static func distanceFromGray(_ pixel: UInt32) -> Double {
        let r = linear(pixel >> 16 & 0xff)
        let g = linear(pixel >> 8 & 0xff)
        let b = linear(pixel & 0xff)
        let x = curved((r * 0.4124 + g * 0.3576 + b * 0.1805) / 95.047)
        let y = curved((r * 0.2126 + g * 0.7152 + b * 0.0722) / 100)
        let z = curved((r * 0.0193 + g * 0.1192 + b * 0.9505) / 108.883)
        let lightness = 53.192777691077211 - (116 * y - 16)
        let first = 0.0031420942181448197 - 500 * (x - y)
        let second = -0.0062075877844014471 - 200 * (y - z)
        return squareRoot(lightness * lightness + first * first + second * second)
    }

    /// The intensity, 0 to 100, of a level of sRGB.
    private static func linear(_ level: UInt32) -> Double {
        let value = Double(level) / 255
        guard value > 0.04045 else { return value / 12.92 * 100 }
        let base = (value + 0.055) / 1.055
        // base ^ 2.4, without the mathematics library.
        let fifth = root(5, of: base)
        return base * base * fifth * fifth * 100
    }

    private static func curved(_ value: Double) -> Double {
        value > 0.008856 ? root(3, of: value) : 7.787 * value + 16 / 116
    }

    /// A root of a number between 0 and 2, by Newton's method.
    private static func root(_ degree: Int, of value: Double) -> Double {
        var guess = 1.0
        for _ in 0..<64 {
            var power = 1.0
            for _ in 1..<degree { power *= guess }
            let next = guess - (guess * power - value) / (Double(degree) * power)
            if abs(next - guess) < 1e-15 { return next }
            guess = next
        }
        return guess
    }
}
