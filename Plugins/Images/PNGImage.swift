import BytesE
import CZlib

/// A PNG picture (PNG specification, third edition), in grey and without its transparency.
struct PNGImage {
    private let bytes: ByteView

    init(_ bytes: ByteView) {
        self.bytes = bytes
    }

    private struct Header {
        var width = 0
        var height = 0
        var depth = 0
        var color = 0
        var isInterlaced = false

        /// Samples of a pixel; 0: no kind of picture that there is.
        var channels: Int {
            switch (color, depth) {
            case (0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (3, 1), (3, 2), (3, 4), (3, 8): 1
            case (4, 8), (4, 16): 2
            case (2, 8), (2, 16): 3
            case (6, 8), (6, 16): 4
            default: 0
            }
        }

        /// Bytes of a row, without its filter.
        func rowSize(_ width: Int) -> Int { (width * channels * depth + 7) / 8 }
    }

    func decoded(_ budget: ImageBudget) -> GreyImage? {
        guard let header = header(), let image = budget.image(width: header.width, height: header.height) else {
            return nil
        }
        var palette = ByteView()
        var inflation: Inflation?
        var at = 8
        // Chunks: length, type, data, checksum.
        while let length = bytes.loadBigEndian(UInt32.self, at: at),
            let type = bytes.loadBigEndian(UInt32.self, at: at + 4)
        {
            guard budget.mayGoOn() else { return nil }
            let data = bytes.slice(at + 8, at + 8 + Int(length))
            switch type {
            case 0x504c_5445: palette = data  // PLTE
            case 0x4944_4154:  // IDAT
                if inflation == nil { inflation = Inflation(header: header, palette: palette, image: image) }
                guard let inflation, inflation.take(data, budget) else { return nil }
                if inflation.isDone { return image }
            case 0x4945_4e44: return nil  // IEND, before the picture's
            default: break
            }
            at += 12 + Int(length)
        }
        return nil
    }

    private func header() -> Header? {
        guard bytes.loadBigEndian(UInt32.self, at: 4) == 0x0d0a_1a0a,
            bytes.loadBigEndian(UInt32.self, at: 12) == 0x4948_4452, bytes.count >= 33,
            let width = bytes.loadBigEndian(UInt32.self, at: 16), let height = bytes.loadBigEndian(UInt32.self, at: 20)
        else { return nil }
        let header = Header(
            width: Int(width), height: Int(height), depth: Int(bytes[24]), color: Int(bytes[25]),
            isInterlaced: bytes[28] == 1)
        return header.channels > 0 && bytes[26] == 0 && bytes[27] == 0 && bytes[28] < 2 ? header : nil
    }

    /// The rows that come out of the compressed data.
    private final class Inflation {
        private let header: Header
        private let palette: ByteView
        private let image: GreyImage
        private var stream = z_stream()
        private let isOpen: Bool
        /// The row at hand with its filter, and the one above it.
        private var row, above: [UInt8]
        private var filled = 0
        private var pass: Int
        private var y = 0
        private(set) var isDone = false

        /// Interlaced: where each pass begins, and its steps (8.1).
        private static let passes: [(x: Int, y: Int, stepX: Int, stepY: Int)] = [
            (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
            // Not interlaced.
            (0, 0, 1, 1),
        ]

        init(header: Header, palette: ByteView, image: GreyImage) {
            self.header = header
            self.palette = palette
            self.image = image
            pass = header.isInterlaced ? 0 : 7
            row = [UInt8](repeating: 0, count: header.rowSize(header.width) + 1)
            above = row
            isOpen = CZlib_inflateInit(&stream, MAX_WBITS) == Z_OK
            skipEmptyPasses()
        }

        deinit {
            if isOpen { inflateEnd(&stream) }
        }

        private var passWidth: Int {
            (header.width - Self.passes[pass].x + Self.passes[pass].stepX - 1) / Self.passes[pass].stepX
        }
        private var passHeight: Int {
            (header.height - Self.passes[pass].y + Self.passes[pass].stepY - 1) / Self.passes[pass].stepY
        }

        private func skipEmptyPasses() {
            while !isDone, passWidth <= 0 || passHeight <= 0 { nextPass() }
        }

        private func nextPass() {
            y = 0
            for index in 0..<above.count { above[index] = 0 }
            if pass >= 6 { isDone = true } else { pass += 1 }
        }

        /// Takes a part of the compressed data; false when it is damaged or the scan must end.
        func take(_ data: ByteView, _ budget: ImageBudget) -> Bool {
            guard isOpen else { return false }
            guard let base = data.base else { return true }
            stream.next_in = UnsafeMutablePointer(mutating: base)
            stream.avail_in = UInt32(clamping: data.count)
            while !isDone {
                let size = header.rowSize(passWidth) + 1
                var status = Z_OK
                row.withUnsafeMutableBufferPointer { buffer in
                    stream.next_out = buffer.baseAddress.map { $0 + filled }
                    stream.avail_out = UInt32(size - filled)
                    status = inflate(&stream, Z_NO_FLUSH)
                }
                filled = size - Int(stream.avail_out)
                if filled == size {
                    guard budget.mayGoOn(), unfilter(size) else { return false }
                    paint()
                    swap(&row, &above)
                    filled = 0
                    y += 1
                    if y == passHeight {
                        nextPass()
                        skipEmptyPasses()
                    }
                } else if status != Z_OK {
                    // More input is needed, or there is none any more.
                    return status == Z_BUF_ERROR
                } else if stream.avail_in == 0 {
                    return true
                }
            }
            return true
        }

        /// Undoes the filter of a row (9.2); false when there is none of that number.
        private func unfilter(_ size: Int) -> Bool {
            let distance = max(1, header.channels * header.depth / 8)
            guard row[0] <= 4 else { return false }
            for index in 1..<size {
                let left = index > distance ? Int(row[index - distance]) : 0
                let up = Int(above[index])
                let corner = index > distance ? Int(above[index - distance]) : 0
                let guess: Int
                switch row[0] {
                case 1: guess = left
                case 2: guess = up
                case 3: guess = (left + up) / 2
                case 4:
                    let (a, b, c) = (abs(up - corner), abs(left - corner), abs(left + up - 2 * corner))
                    guess = a <= b && a <= c ? left : b <= c ? up : corner
                default: guess = 0
                }
                row[index] = row[index] &+ UInt8(guess)
            }
            return true
        }

        private func paint() {
            let place = Self.passes[pass]
            let top = place.y + y * place.stepY
            for x in 0..<passWidth { image[place.x + x * place.stepX, top] = shade(x) }
        }

        private func shade(_ x: Int) -> UInt8 {
            let first = sample(x * header.channels)
            if header.color == 3 {
                let place = 3 * Int(first)
                guard place + 2 < palette.count else { return 0 }
                return GreyImage.shade(palette[place], palette[place + 1], palette[place + 2])
            }
            guard header.channels >= 3 else { return GreyImage.shade(first, first, first) }
            return GreyImage.shade(first, sample(x * header.channels + 1), sample(x * header.channels + 2))
        }

        /// A sample of the row in eight bits; of a palette, its number.
        private func sample(_ number: Int) -> UInt8 {
            switch header.depth {
            case 8: return row[1 + number]
            case 16:
                let value = UInt32(row[1 + 2 * number]) << 8 | UInt32(row[2 + 2 * number])
                return UInt8((value + 128) / 257)
            default:
                let bit = number * header.depth
                let value = row[1 + bit / 8] >> UInt8(8 - header.depth - bit % 8) & (1 << UInt8(header.depth) - 1)
                return header.color == 3 ? value : value * (255 / (1 << UInt8(header.depth) - 1))
            }
        }
    }
}
