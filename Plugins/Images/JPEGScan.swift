import BytesE

/// The codes for lengths of numbers (T.81, annex C), four tables of each class.
struct JPEGCodes {
    struct Table {
        /// Of each length, the first code behind it, shifted to 16 bits; and what to add to a code to have its place.
        fileprivate var limits = [UInt32](repeating: 0, count: 17)
        fileprivate var offsets = [Int](repeating: 0, count: 17)
        fileprivate var values: [UInt8] = []
        /// Of the next eight bits: the length and the value, when the code is no longer.
        fileprivate var short = [UInt16](repeating: 0, count: 256)
    }

    private(set) var direct = [Table](repeating: Table(), count: 4)
    private(set) var alternating = [Table](repeating: Table(), count: 4)

    /// DHT (B.2.4.2); false when it is damaged.
    mutating func define(_ segment: ByteView) -> Bool {
        var place = 0
        while place + 17 <= segment.count {
            let (kind, number) = (segment[place] >> 4, Int(segment[place] & 15))
            guard kind < 2, number < 4 else { return false }
            var table = Table()
            var code: UInt32 = 0
            var total = 0
            for length in 1...16 {
                let count = Int(segment[place + length])
                table.offsets[length] = total - Int(code)
                for index in 0..<count where length <= 8 {
                    guard place + 17 + total + index < segment.count else { return false }
                    let value = UInt16(length) << 8 | UInt16(segment[place + 17 + total + index])
                    let first = Int(code + UInt32(index)) << (8 - length)
                    guard first + 1 << (8 - length) <= 256 else { return false }
                    for entry in first..<first + 1 << (8 - length) { table.short[entry] = value }
                }
                code += UInt32(count)
                total += count
                guard code <= 1 << UInt32(length) else { return false }
                table.limits[length] = code << UInt32(16 - length)
                code <<= 1
            }
            guard total <= 256, place + 17 + total <= segment.count else { return false }
            table.values = segment.slice(place + 17, place + 17 + total).array
            if kind == 0 { direct[number] = table } else { alternating[number] = table }
            place += 17 + total
        }
        return true
    }
}

/// The bits of a scan, without the zeros behind 0xff; behind its end there are zeros.
struct JPEGBits {
    private let bytes: ByteView
    private(set) var at: Int
    private var bits: UInt32 = 0
    private var count = 0

    init(_ bytes: ByteView, at: Int) {
        self.bytes = bytes
        self.at = at
    }

    private mutating func fill() {
        while count <= 24 {
            var byte: UInt8 = 0
            if at < bytes.count {
                byte = bytes[at]
                if byte == 0xff {
                    // A marker ends the data, and stays where it is.
                    if at + 1 < bytes.count, bytes[at + 1] == 0 { at += 2 } else { byte = 0 }
                } else {
                    at += 1
                }
            }
            bits |= UInt32(byte) << UInt32(24 - count)
            count += 8
        }
    }

    mutating func take(_ number: Int) -> Int {
        guard number > 0 else { return 0 }
        if count < number { fill() }
        let value = bits >> UInt32(32 - number)
        bits <<= UInt32(number)
        count -= number
        return Int(value)
    }

    /// A number of so many bits, of which half are negative (F.2.2.1).
    mutating func number(_ length: Int) -> Int {
        let value = take(length)
        return length > 0 && value < 1 << (length - 1) ? value - 1 << length + 1 : value
    }

    /// The value of the next code; nil when there is none.
    mutating func code(_ table: JPEGCodes.Table) -> UInt8? {
        if count < 16 { fill() }
        let short = table.short[Int(bits >> 24)]
        if short != 0 {
            bits <<= UInt32(short >> 8)
            count -= Int(short >> 8)
            return UInt8(truncatingIfNeeded: short)
        }
        let next = bits >> 16
        for length in 9...16 where next < table.limits[length] {
            let place = Int(next >> UInt32(16 - length)) + table.offsets[length]
            guard place >= 0, place < table.values.count else { return nil }
            bits <<= UInt32(length)
            count -= length
            return table.values[place]
        }
        return nil
    }

    /// Goes on behind a restart marker, if there is one.
    mutating func restart() {
        bits = 0
        count = 0
        if at + 1 < bytes.count, bytes[at] == 0xff, (0xd0...0xd7).contains(bytes[at + 1]) { at += 2 }
    }
}

/// One scan (T.81, annexes F and G).
struct JPEGScan {
    private struct Part {
        let component: JPEGFrame.Component
        let direct, alternating: JPEGCodes.Table
    }

    private let frame: JPEGFrame
    private var parts: [Part] = []
    /// Coefficients that it has, and the bit from which it has them; `high`: it makes earlier bits finer.
    private let first, last: Int
    private let high, low: Int
    private let restartInterval: Int

    init?(_ segment: ByteView, _ frame: JPEGFrame, _ codes: JPEGCodes, restartInterval: Int) {
        guard !segment.isEmpty else { return nil }
        let count = Int(segment[0])
        guard (1...4).contains(count), segment.count >= 4 + 2 * count else { return nil }
        self.frame = frame
        self.restartInterval = restartInterval
        let tail = segment.dropFirst(1 + 2 * count)
        first = frame.isProgressive ? Int(tail[0]) : 0
        last = frame.isProgressive ? Int(tail[1]) : 63
        high = frame.isProgressive ? Int(tail[2] >> 4) : 0
        low = frame.isProgressive ? Int(tail[2] & 15) : 0
        guard first <= last, last < 64, low < 14, high < 14 else { return nil }
        // Progressive: the first coefficients apart, the others of one component only.
        if frame.isProgressive { guard first == 0 ? last == 0 : count == 1 else { return nil } }
        for number in 0..<count {
            let id = segment[1 + 2 * number]
            let tables = segment[2 + 2 * number]
            guard let component = frame.components.first(where: { $0.id == id }), tables >> 4 < 4, tables & 15 < 4
            else {
                return nil
            }
            parts.append(
                Part(
                    component: component, direct: codes.direct[Int(tables >> 4)],
                    alternating: codes.alternating[Int(tables & 15)]))
        }
    }

    /// - Returns: where the next marker may be sought; nil when the data is damaged or the scan must end.
    func decode(_ bytes: ByteView, from start: Int, _ budget: ImageBudget) -> Int? {
        var bits = JPEGBits(bytes, at: start)
        var predictions = [Int](repeating: 0, count: parts.count)
        var run = 0
        let isAlone = parts.count == 1
        let columns = isAlone ? parts[0].component.columns : frame.mcuColumns
        let rows = isAlone ? parts[0].component.rows : frame.mcuRows
        var untilRestart = restartInterval
        for row in 0..<rows {
            guard budget.mayGoOn() else { return nil }
            for column in 0..<columns {
                if restartInterval > 0 {
                    if untilRestart == 0 {
                        bits.restart()
                        for index in 0..<predictions.count { predictions[index] = 0 }
                        run = 0
                        untilRestart = restartInterval
                    }
                    untilRestart -= 1
                }
                for (index, part) in parts.enumerated() {
                    let (across, down) = isAlone ? (1, 1) : (part.component.across, part.component.down)
                    for y in 0..<down {
                        for x in 0..<across {
                            let block = part.component.block(column * across + x, row * down + y)
                            guard decode(block, part, &bits, &predictions[index], &run) else { return nil }
                        }
                    }
                }
            }
        }
        return bits.at
    }

    private func decode(
        _ block: UnsafeMutablePointer<Int16>, _ part: Part, _ bits: inout JPEGBits, _ prediction: inout Int,
        _ run: inout Int
    ) -> Bool {
        if first == 0 {
            if high > 0 {
                if bits.take(1) == 1 { block[0] |= 1 << Int16(low) }
            } else {
                guard let length = bits.code(part.direct), length < 16 else { return false }
                prediction = (prediction + bits.number(Int(length))) & 0xffff
                block[0] = Int16(truncatingIfNeeded: prediction << low)
            }
            if frame.isProgressive { return true }
        }
        return high > 0 ? refine(block, part, &bits, &run) : fill(block, part, &bits, &run)
    }

    /// Coefficients for the first time (F.2.2.2, G.1.2.2).
    private func fill(
        _ block: UnsafeMutablePointer<Int16>, _ part: Part, _ bits: inout JPEGBits, _ run: inout Int
    ) -> Bool {
        if run > 0 {
            run -= 1
            return true
        }
        var index = max(first, 1)
        while index <= last {
            guard let code = bits.code(part.alternating) else { return false }
            let (zeros, length) = (Int(code >> 4), Int(code & 15))
            if length == 0 {
                guard zeros < 15 else {
                    index += 16
                    continue
                }
                // The rest of this block and of others is zero.
                if frame.isProgressive { run = 1 << zeros + bits.take(zeros) - 1 }
                return true
            }
            index += zeros
            guard index <= last else { return false }
            block[JPEGFrame.natural(index)] = Int16(truncatingIfNeeded: bits.number(length) << low)
            index += 1
        }
        return true
    }

    /// One more bit of each (G.1.2.3).
    private func refine(
        _ block: UnsafeMutablePointer<Int16>, _ part: Part, _ bits: inout JPEGBits, _ run: inout Int
    ) -> Bool {
        let bit = Int16(1) << Int16(low)
        func correct(_ place: Int) {
            guard bits.take(1) == 1, block[place] & bit == 0 else { return }
            block[place] = block[place] &+ (block[place] >= 0 ? bit : -bit)
        }
        var index = first
        if run == 0 {
            while index <= last {
                guard let code = bits.code(part.alternating) else { return false }
                var zeros = Int(code >> 4)
                var value: Int16 = 0
                switch code & 15 {
                case 0:
                    if zeros < 15 {
                        run = 1 << zeros + bits.take(zeros)
                    }
                case 1: value = bits.take(1) == 1 ? bit : -bit
                default: return false
                }
                if run > 0 { break }
                // Over those that are known, which get their bit, and over so many that are not.
                while index <= last {
                    let place = JPEGFrame.natural(index)
                    index += 1
                    if block[place] != 0 {
                        correct(place)
                    } else if zeros == 0 {
                        block[place] = value
                        break
                    } else {
                        zeros -= 1
                    }
                }
            }
        }
        if run > 0 {
            while index <= last {
                let place = JPEGFrame.natural(index)
                if block[place] != 0 { correct(place) }
                index += 1
            }
            run -= 1
        }
        return true
    }
}
