extension IconMetrics {
    /// Whether an icon looks like the one of a signature: both of about the same size, and similar enough for it.
    package func isSimilar(to other: IconMetrics) -> Bool {
        guard side / 8 == other.side / 8 else { return false }
        let isGray = colored == 0 && other.colored == 0
        return confidence(other, isGray: isGray) >= (isGray ? 70 : 64 + 4 * (4 - side / 8))
    }

    /// How similar they are, 0 to 100.
    private func confidence(_ other: IconMetrics, isGray: Bool) -> Int {
        let bright = similarity(self.bright, other.bright)
        let dark = similarity(self.dark, other.dark)
        if isGray {
            let edge = similarity(list(self.edge, color), list(other.edge, other.color))
            let noEdge = similarity(list(self.noEdge, gray), list(other.noEdge, other.gray))
            return (bright + dark + edge * 2 + noEdge) / 6
        }
        let edge = similarity(self.edge, other.edge)
        let noEdge = similarity(self.noEdge, other.noEdge)
        var color = 0
        var gray = 0
        if colored != 0, other.colored != 0 {
            color = similarity(self.color, other.color, limit: 4072)
            gray = similarity(self.gray, other.gray, limit: 4072)
        }
        let colors =
            (share(red, other.red) + share(green, other.green) + share(blue, other.blue)
                + share(colored, other.colored)) / 4
        return (color + (gray + bright + noEdge) * 2 / 3 + dark + edge + colors) / 6
    }

    private func share(_ a: Int, _ b: Int) -> Int { max(0, 100 - abs(a - b) * 10) }

    private func list(_ a: Areas, _ b: Areas) -> [Area] { [a[0], a[1], a[2], b[0], b[1], b[2]] }

    private func similarity(_ a: Areas, _ b: Areas, limit: Int = 255) -> Int {
        similarity([a[0], a[1], a[2]], [b[0], b[1], b[2]], limit: limit)
    }

    /// How near the areas lie to those of the other icon that are about as strong.
    private func similarity(_ a: [Area], _ b: [Area], limit: Int = 255) -> Int {
        let reach = side / 4 * 3 / 4
        var sum = 0
        for area in a {
            var best = 0
            for other in b {
                let (dx, dy) = (area.x - other.x, area.y - other.y)
                let distance = wholeSquareRoot(Double(dx * dx + dy * dy))
                let difference = abs(Int(Int32(truncatingIfNeeded: area.average)) - Int(other.average))
                guard distance <= reach, difference <= limit / 5 else { continue }
                best = max(best, 100 - distance * 60 / reach)
            }
            sum += best
        }
        return sum / a.count
    }
}
