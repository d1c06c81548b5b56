import BytesE

/// The first picture of a GIF file (GIF89a), on its screen.
struct GIFImage {
    private let bytes: ByteView

    init(_ bytes: ByteView) {
        self.bytes = bytes
    }

    func decoded(_ budget: ImageBudget) -> GreyImage? {
        guard let width = bytes.load(UInt16.self, at: 6), let height = bytes.load(UInt16.self, at: 8), bytes.count > 13,
            let image = budget.image(width: Int(width), height: Int(height))
        else { return nil }
        var at = 13
        var colors = ByteView()
        if bytes[10] & 0x80 != 0 {
            colors = bytes.slice(at, at + 6 << (bytes[10] & 7))
            at += 6 << Int(bytes[10] & 7)
        }
        while at < bytes.count {
            guard budget.mayGoOn() else { return nil }
            switch bytes[at] {
            case 0x21: at = endOfBlocks(at + 2)
            case 0x2c: return paint(at, colors, on: image, budget) ? image : nil
            default: return nil
            }
        }
        return nil
    }

    /// Behind a row of blocks, each with its length, of which the last one is empty.
    private func endOfBlocks(_ start: Int) -> Int {
        var at = start
        while at < bytes.count, bytes[at] > 0 { at += 1 + Int(bytes[at]) }
        return at + 1
    }

    private func paint(_ start: Int, _ global: ByteView, on image: GreyImage, _ budget: ImageBudget) -> Bool {
        guard let left = bytes.load(UInt16.self, at: start + 1), let top = bytes.load(UInt16.self, at: start + 3),
            let width = bytes.load(UInt16.self, at: start + 5), let height = bytes.load(UInt16.self, at: start + 7),
            start + 10 < bytes.count, width > 0, height > 0,
            Int(left) + Int(width) <= image.width, Int(top) + Int(height) <= image.height
        else { return false }
        let flags = bytes[start + 9]
        var at = start + 10
        var colors = global
        if flags & 0x80 != 0 {
            colors = bytes.slice(at, at + 6 << Int(flags & 7))
            at += 6 << Int(flags & 7)
        }
        guard at < bytes.count else { return false }
        var codes = GIFCodes(bytes, at: at + 1, minimum: Int(bytes[at]))
        var rows = GIFRows(count: Int(height), isInterlaced: flags & 0x40 != 0)
        while let y = rows.next() {
            guard budget.mayGoOn() else { return false }
            for x in 0..<Int(width) {
                guard let index = codes.next() else { return false }
                let place = 3 * Int(index)
                let shade =
                    place + 2 < colors.count
                    ? GreyImage.shade(colors[place], colors[place + 1], colors[place + 2]) : 0
                image[Int(left) + x, Int(top) + y] = shade
            }
        }
        return true
    }
}

/// The order of rows.
private struct GIFRows {
    private let count: Int
    private let isInterlaced: Bool
    private var pass = 0
    private var following = 0

    init(count: Int, isInterlaced: Bool) {
        self.count = count
        self.isInterlaced = isInterlaced
    }

    mutating func next() -> Int? {
        guard isInterlaced else {
            defer { following += 1 }
            return following < count ? following : nil
        }
        while following >= count {
            pass += 1
            guard pass < 4 else { return nil }
            following = 8 >> pass
        }
        defer { following += pass == 0 ? 8 : 16 >> pass }
        return following
    }
}

/// Colour numbers out of the compressed blocks (appendix F: LZW with codes of growing length).
private struct GIFCodes {
    private let bytes: ByteView
    private var at: Int
    /// Bytes of the block at hand that are left.
    private var left = 0
    private let minimum: Int
    private var size: Int
    private var bits: UInt32 = 0
    private var bitCount = 0
    /// Of each code the one that it continues, and its last number.
    private var prefix = [UInt16](repeating: 0, count: 4096)
    private var suffix = [UInt8](repeating: 0, count: 4096)
    private var known: Int
    private var previous: Int?
    /// Numbers of the last code that were not asked for yet, the last one first.
    private var pending: [UInt8] = []

    init(_ bytes: ByteView, at start: Int, minimum: Int) {
        self.bytes = bytes
        at = start
        self.minimum = min(max(minimum, 1), 11)
        size = self.minimum + 1
        known = 1 << self.minimum + 2
        for code in 0..<(1 << min(self.minimum, 8)) { suffix[code] = UInt8(code) }
    }

    mutating func next() -> UInt8? {
        while pending.isEmpty {
            guard let code = code() else { return nil }
            let clear = 1 << minimum
            if code == clear {
                size = minimum + 1
                known = clear + 2
                previous = nil
                continue
            }
            guard code != clear + 1 else { return nil }
            guard let last = previous else {
                guard code < clear else { return nil }
                pending.append(suffix[code])
                previous = code
                continue
            }
            guard code <= known else { return nil }
            expand(code < known ? code : last)
            let first = pending[pending.count - 1]
            // The code that is only being made: the one before, and its first number again.
            if code == known { pending.insert(first, at: 0) }
            if known < 4096 {
                prefix[known] = UInt16(last)
                suffix[known] = first
                known += 1
                if known == 1 << size, size < 12 { size += 1 }
            } else if code == known {
                return nil
            }
            previous = code
        }
        return pending.popLast()
    }

    private mutating func expand(_ code: Int) {
        var code = code
        // Each code continues an earlier one.
        while code >= 1 << minimum + 2 {
            pending.append(suffix[code])
            code = Int(prefix[code])
        }
        pending.append(suffix[code])
    }

    private mutating func code() -> Int? {
        while bitCount < size {
            if left == 0 {
                guard at < bytes.count, bytes[at] > 0 else { return nil }
                left = Int(bytes[at])
                at += 1
            }
            guard at < bytes.count else { return nil }
            bits |= UInt32(bytes[at]) << UInt32(bitCount)
            bitCount += 8
            at += 1
            left -= 1
        }
        defer {
            bits >>= UInt32(size)
            bitCount -= size
        }
        return Int(bits & (1 << UInt32(size) - 1))
    }
}
