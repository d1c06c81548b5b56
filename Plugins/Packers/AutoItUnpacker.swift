import BytesE
import CModuleABI
import ModuleKit
import Unpacking

/// Compiled AutoIt scripts of versions 3.0 to 3.3: alone (.a3x), behind a program, or in its resources. The script, in
/// later versions as tokens, and the files that it brings.
///
/// Records follow a signature and 16 bytes of a password's digest: marks, names and data, each encrypted with a number
/// that its length makes. Data is packed as literals and copies.
final class AutoItUnpacker: Unpacker {
    private var position = 24 + 16
    /// The sum of the password's digest, which the older version adds to the key of the data.
    private let sum: UInt32
    private let isNew: Bool

    private static let signature: [UInt8] = [
        0xa3, 0x48, 0x4b, 0xbe, 0x98, 0x6c, 0x4a, 0xa9, 0x99, 0x4c, 0x53, 0x0a, 0x86, 0xd6, 0x48, 0x7d, 0x41, 0x55,
        0x33, 0x21, 0x45, 0x41, 0x30,
    ]

    static var extractor: Extractor {
        Extractor(
            "AUTOIT",
            identify: { candidate in
                let data = candidate.data
                guard data.count > 48, data[0] == 0xa3, data[1] == 0x48, data[23] == 0x35 || data[23] == 0x36,
                    signature.withUnsafeBufferPointer({ data.hasPrefix(ByteView($0)) })
                else { return nil }
                return .magic(EM_TYPE_ARCHIVE)
            },
            open: { scan, object, _ throws(ModuleError) in AutoItUnpacker(scan, object) })
    }

    private init(_ scan: ScanContext, _ object: UnsafePointer<em_object>) {
        let data = ByteView(object.pointee.data)
        isNew = data.count > 23 && data[23] == 0x36
        var sum: UInt32 = 0
        for byte in data.slice(24, 40).buffer { sum += UInt32(byte) }
        self.sum = sum
        super.init(scan, object, format: "AUTOIT")
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        while data.load(UInt32.self, at: position) == (isNew ? 0x52ca_436b : 0xceb0_6dff) {
            try scan.check()
            position += 4
            guard text(isNew ? 0xadbc : 0x29bc, isNew ? 0xb33f : 0xa25e) != nil,
                let name = text(isNew ? 0xf820 : 0x29ac, isNew ? 0xf479 : 0xf25e), position + 29 <= data.count,
                let masked = data.load(UInt32.self, at: position + 1)
            else { break }
            let isPacked = data[position] == 1
            let size = Int(masked ^ (isNew ? 0x87bc : 0x45aa))
            let start = position + 29
            let packed = data.slice(start, start + size)
            position = start + packed.count
            guard size > 0 else { continue }
            var child = Child()
            child.offset = UInt64(start)
            child.extent = UInt64(packed.count)
            if packed.count < size { child.flags |= EM_OBJECT_TRUNCATED }
            var plain = try Output(scan, in: object, expected: packed.count)
            let key = isNew ? 0x2477 : 0x22af &+ sum
            guard try decrypt(packed, key, into: &plain) else {
                try close(&plain, &child)
                try submit(child, name: name)
                return true
            }
            if isPacked {
                let bytes = try plain.finish()
                var output = try Output(scan, in: object)
                if try !expand(bytes, into: &output), output.stoppedBy == 0 { child.flags |= EM_OBJECT_MALFORMED }
                try close(&output, &child)
            } else {
                try close(&plain, &child)
            }
            try submit(child, name: name)
            return true
        }
        if position + 8 < data.count, position == 40 { found(EM_OBJECT_MALFORMED) }
        return false
    }

    /// A length and a text of so many characters; nil when it does not lie inside.
    private func text(_ mask: UInt32, _ key: UInt32) -> [UInt8]? {
        guard let masked = data.load(UInt32.self, at: position) else { return nil }
        let count = Int(masked ^ mask)
        let size = isNew ? 2 * count : count
        position += 4
        guard size <= data.count - position else { return nil }
        let encrypted = data.slice(position, position + min(size, 2048))
        position += size
        var stream = KeyStream(key &+ UInt32(count), isNew: isNew)
        var result: [UInt8] = []
        for index in 0..<encrypted.count {
            let byte = encrypted[index] ^ stream.next()
            // Of UTF-16 the low bytes, which is enough for a name's ending.
            if !isNew || index % 2 == 0 { result.append(byte) }
        }
        return result
    }

    private func decrypt(_ data: ByteView, _ key: UInt32, into output: inout Output) throws(ModuleError) -> Bool {
        var stream = KeyStream(key, isNew: isNew)
        var index = 0
        while index < data.count {
            guard let room = try output.room() else { return false }
            let step = min(room.count, data.count - index)
            for place in 0..<step { room[place] = data[index + place] ^ stream.next() }
            output.advance(step)
            index += step
        }
        return output.stoppedBy == 0
    }

    /// "EA05" or "EA06", the size, then bits: the highest of each word of two bytes, big-endian, first.
    private func expand(_ packed: ByteView, into output: inout Output) throws(ModuleError) -> Bool {
        guard packed.hasPrefix(ByteView(isNew ? "EA06" : "EA05")), let size = packed.loadBigEndian(UInt32.self, at: 4)
        else { return false }
        var bits = Bits(packed.dropFirst(8))
        var turns = 0
        while output.count < Int(size) {
            turns += 1
            if turns & 0xfff == 0 { try scan.check() }
            let flag = bits.take(1)
            if bits.isPastEnd { return false }
            if (flag == 1) == isNew {
                guard try output.append(UInt8(bits.take(8))) else { return false }
                continue
            }
            let distance = bits.take(15)
            let length = min(bits.length() + 3, Int(size) - output.count)
            guard distance > 0, distance <= output.count, try output.repeatBytes(from: distance, count: length) else {
                return false
            }
        }
        return true
    }

    private struct Bits {
        private let input: ByteView
        private var position = 0
        private var bits: UInt64 = 0
        private var count = 0

        init(_ input: ByteView) { self.input = input }

        var isPastEnd: Bool { position > input.count + 8 }

        mutating func take(_ wanted: Int) -> Int {
            while count < wanted {
                let byte: UInt8 = position < input.count ? input[position] : 0
                bits = bits << 8 | UInt64(byte)
                position += 1
                count += 8
            }
            count -= wanted
            return Int(bits >> UInt64(count) & ((1 << UInt64(wanted)) - 1))
        }

        /// A number whose groups of bits grow as long as they are full.
        mutating func length() -> Int {
            var base = 0
            for (width, full) in [(2, 3), (3, 7), (5, 31), (8, 255)] {
                let value = take(width)
                if value < full { return base + value }
                base += full
            }
            while !isPastEnd {
                let value = take(8)
                if value < 255 { return base + value }
                base += 255
            }
            return base
        }
    }
}

/// The bytes that are added to encrypted data: of the Mersenne Twister in the older version, of a lagged sum in the newer.
private struct KeyStream {
    private var state: [UInt32]
    private var index: Int
    private var other = 10
    private let isNew: Bool

    init(_ seed: UInt32, isNew: Bool) {
        self.isNew = isNew
        if isNew {
            var value = seed & 0xffff
            state = (0..<17).map { _ in
                value = 1 &- value &* 0x53a9_b4fb
                return value
            }
            index = 0
            for _ in 0..<9 { _ = step() }
            return
        }
        state = [UInt32](repeating: seed, count: 624)
        for place in 1..<624 {
            state[place] = UInt32(place) &+ 0x6c07_8965 &* (state[place - 1] >> 30 ^ state[place - 1])
        }
        index = 624
    }

    mutating func next() -> UInt8 {
        guard !isNew else {
            _ = step()
            return UInt8(step() >> 24)
        }
        if index == 624 { twist() }
        var value = state[index]
        index += 1
        value ^= value >> 11
        value ^= value << 7 & 0x9d2c_5680
        value ^= value << 15 & 0xefc6_0000
        value ^= value >> 18
        return UInt8(truncatingIfNeeded: value >> 1)
    }

    private mutating func twist() {
        for place in 0..<624 {
            let value = state[place] & 0x8000_0000 | state[(place + 1) % 624] & 0x7fff_ffff
            state[place] = state[(place + 397) % 624] ^ value >> 1 ^ (value & 1 != 0 ? 0x9908_b0df : 0)
        }
        index = 0
    }

    private mutating func step() -> UInt32 {
        func rolled(_ value: UInt32, _ by: UInt32) -> UInt32 { value << by | value >> (32 - by) }
        let value = rolled(state[index], 9) &+ rolled(state[other], 13)
        state[index] = value
        index = index == 0 ? 16 : index - 1
        other = other == 0 ? 16 : other - 1
        return value
    }
}
