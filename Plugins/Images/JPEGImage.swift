import BytesE

/// A JPEG picture (ITU-T T.81), sequential or progressive, with eight bits and one or three components, in grey.
final class JPEGImage {
    private let bytes: ByteView
    private let budget: ImageBudget
    private var at = 2
    private var quantization = [UInt16](repeating: 1, count: 4 * 64)
    private var codes = JPEGCodes()
    private var frame: JPEGFrame?
    /// MCUs between two restarts; 0: none.
    private var restartInterval = 0
    /// What Adobe's marker says that the colours are; nil without one.
    private var transform: UInt8?

    /// Scans of a progressive picture: more would only cost time.
    private static let mostScans = 32

    init(_ bytes: ByteView, _ budget: ImageBudget) {
        self.bytes = bytes
        self.budget = budget
    }

    func decoded() -> GreyImage? {
        var scans = 0
        while let marker = nextMarker() {
            guard budget.mayGoOn() else { return nil }
            if marker == 0xd9 { break }
            guard !(0xd0...0xd8).contains(marker), marker != 1 else { continue }
            guard let length = bytes.loadBigEndian(UInt16.self, at: at), length >= 2 else { break }
            let segment = bytes.slice(at + 2, at + Int(length))
            at += Int(length)
            switch marker {
            case 0xc0, 0xc1, 0xc2:
                guard frame == nil, let made = JPEGFrame(segment, isProgressive: marker == 0xc2, budget) else {
                    return nil
                }
                frame = made
            case 0xc3, 0xc5...0xc7, 0xc9...0xcb, 0xcd...0xcf: return nil
            case 0xc4: guard codes.define(segment) else { return nil }
            case 0xdb: guard define(segment) else { return nil }
            case 0xdd: restartInterval = Int(segment.loadBigEndian(UInt16.self, at: 0) ?? 0)
            case 0xee where segment.hasPrefix(ByteView("Adobe")) && segment.count >= 12: transform = segment[11]
            case 0xda:
                scans += 1
                guard let frame, scans <= Self.mostScans,
                    let scan = JPEGScan(segment, frame, codes, restartInterval: restartInterval),
                    let end = scan.decode(bytes, from: at, budget)
                else { return nil }
                at = end
            default: break
            }
        }
        guard let frame, scans > 0 else { return nil }
        return grey(frame)
    }

    private func nextMarker() -> UInt8? {
        while at + 1 < bytes.count {
            guard bytes[at] == 0xff, bytes[at + 1] != 0, bytes[at + 1] != 0xff else {
                at += 1
                continue
            }
            at += 2
            return bytes[at - 1]
        }
        return nil
    }

    /// DQT (B.2.4.1).
    private func define(_ segment: ByteView) -> Bool {
        var place = 0
        while place < segment.count {
            let (precision, table) = (segment[place] >> 4, Int(segment[place] & 15))
            place += 1
            let size = precision == 0 ? 1 : 2
            guard table < 4, precision < 2, place + 64 * size <= segment.count else { return false }
            for index in 0..<64 {
                let value =
                    precision == 0
                    ? UInt16(segment[place + index])
                    : UInt16(segment[place + 2 * index]) << 8 | UInt16(segment[place + 2 * index + 1])
                quantization[64 * table + JPEGFrame.natural(index)] = value
            }
            place += 64 * size
        }
        return true
    }

    private func grey(_ frame: JPEGFrame) -> GreyImage? {
        guard frame.components.count == 1 || frame.components.count == 3,
            let image = budget.image(width: frame.width, height: frame.height)
        else { return nil }
        var planes: [JPEGPlane] = []
        for component in frame.components {
            guard let plane = JPEGPlane(component, of: frame, quantization, budget) else { return nil }
            planes.append(plane)
        }
        let isRGB = transform == 0 || transform == nil && frame.components.map { $0.id } == [0x52, 0x47, 0x42]
        var rows = [[UInt8]](repeating: [UInt8](repeating: 0, count: frame.width), count: planes.count)
        for y in 0..<frame.height {
            guard budget.mayGoOn() else { return nil }
            for index in 0..<planes.count { planes[index].fill(&rows[index], y: y) }
            for x in 0..<frame.width {
                if planes.count == 1 {
                    image[x, y] = rows[0][x]
                } else if isRGB {
                    image[x, y] = GreyImage.shade(rows[0][x], rows[1][x], rows[2][x])
                } else {
                    image[x, y] = JPEGColors.shade(rows[0][x], rows[1][x], rows[2][x])
                }
            }
        }
        return image
    }
}
