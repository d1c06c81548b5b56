package import BytesE

/// What an icon looks like, in a few numbers that similar icons share: where its most and least coloured, brightest,
/// darkest, most and least detailed areas lie, and which colours it has.
///
/// The numbers are those of ClamAV's icon signatures, which are made by the same measures.
package struct IconMetrics: Sendable {
    /// An area: a quarter of the icon's side wide and high.
    package struct Area: Sendable {
        package var average: UInt32 = 0
        package var x = 0
        package var y = 0
    }

    /// Three areas of each kind, the strongest first, that do not overlap.
    package typealias Areas = InlineArray<3, Area>

    /// 16, 24 or 32 pixels.
    package internal(set) var side = 0
    package internal(set) var color, gray, bright, dark, edge, noEdge: Areas
    /// How much of the coloured pixels is red, green, blue; and per cent of pixels that are coloured, 0 for an icon
    /// without colours: then `color` and `gray` hold three more areas with and without detail.
    package internal(set) var red = 0
    package internal(set) var green = 0
    package internal(set) var blue = 0
    package internal(set) var colored = 0

    init() {
        color = Areas(repeating: Area())
        gray = color
        bright = color
        dark = color
        edge = color
        noEdge = color
    }

    /// Digits of the text form.
    package static let digitCount = 124

    /// Reads the form that signatures have: hex digits, the side first; nil when it is wrong.
    package init?(digits: ByteView) {
        guard digits.count == IconMetrics.digitCount else { return nil }
        var reader = Digits(text: digits)
        self.init()
        side = reader.read(2)
        guard side == 16 || side == 24 || side == 32 else { return nil }
        let furthest = side - side / 8
        func areas(_ width: Int) -> Areas {
            var areas = Areas(repeating: Area())
            for i in 0..<3 {
                areas[i] = Area(average: UInt32(reader.read(width)), x: reader.read(2), y: reader.read(2))
                if areas[i].average > 4072 || areas[i].x > furthest || areas[i].y > furthest { reader.isWrong = true }
            }
            return areas
        }
        color = areas(3)
        gray = areas(3)
        bright = areas(2)
        dark = areas(2)
        edge = areas(2)
        noEdge = areas(2)
        red = reader.read(2)
        green = reader.read(2)
        blue = reader.read(2)
        colored = reader.read(2)
        guard !reader.isWrong, red + green + blue <= 103, colored <= 100 else { return nil }
    }

    private struct Digits {
        let text: ByteView
        var at = 0
        var isWrong = false

        mutating func read(_ count: Int) -> Int {
            var value = 0
            for _ in 0..<count {
                let byte = text[at]
                let letter = (byte | 0x20) &- 0x61
                if byte &- 0x30 < 10 {
                    value = value << 4 | Int(byte &- 0x30)
                } else if letter < 6 {
                    value = value << 4 | Int(letter + 10)
                } else {
                    isWrong = true
                }
                at += 1
            }
            return value
        }
    }
}
