package import BytesE

/// The properties of a message or an attachment as TNEF has them (MS-OXTNEF 2.1.3.4): type, id, value, padded to four.
package struct MAPIProperties {
    package struct Property {
        package let id: UInt16
        /// UTF-16 text.
        package let isWide: Bool
        package let isObject: Bool
        /// The first value, of several.
        package let value: ByteView
        /// Where the value lies in the list's bytes.
        package let offset: Int
    }

    package static let attachLongName: UInt16 = 0x3707
    package static let attachData: UInt16 = 0x3701
    package static let plainBody: UInt16 = 0x1000
    package static let compressedRTF: UInt16 = 0x1009
    package static let html: UInt16 = 0x1013

    private let data: ByteView
    private var position = 4
    private var left: Int

    package init(_ data: ByteView) {
        self.data = data
        // A property takes eight bytes at least.
        left = min(Int(data.load(UInt32.self, at: 0) ?? 0), data.count / 4)
    }

    /// The next property; nil at the end, or where the bytes make no sense.
    package mutating func next() -> Property? {
        while left > 0 {
            left -= 1
            guard let type = data.load(UInt16.self, at: position), let id = data.load(UInt16.self, at: position + 2)
            else { return nil }
            position += 4
            if id >= 0x8000, !skipName() { return nil }
            let isMultiple = type & 0x1000 != 0
            let base = type & 0x0fff
            if let size = fixedSize(base) {
                var count = 1
                if isMultiple {
                    guard let more = data.load(UInt32.self, at: position) else { return nil }
                    position += 4
                    count = Int(more)
                }
                let (length, overflow) = size.multipliedReportingOverflow(by: count)
                guard !overflow, length <= data.count - min(position, data.count) else { return nil }
                position += (length + 3) & ~3
                continue
            }
            guard base == 0x1e || base == 0x1f || base == 0x0d || base == 0x102,
                let count = data.load(UInt32.self, at: position)
            else { return nil }
            position += 4
            var first: Property?
            for _ in 0..<min(Int(count), data.count / 4) {
                guard let length = data.load(UInt32.self, at: position) else { return first }
                let value = data.slice(position + 4, position + 4 + Int(length))
                if first == nil {
                    first = Property(
                        id: id, isWide: base == 0x1f, isObject: base == 0x0d, value: value, offset: position + 4)
                }
                position += 4 + (Int(length) + 3) & ~3
                guard position <= data.count + 3 else { break }
            }
            if let first { return first }
        }
        return nil
    }

    /// A named property: a GUID, then a number or a name.
    private mutating func skipName() -> Bool {
        guard let kind = data.load(UInt32.self, at: position + 16) else { return false }
        position += 20
        guard kind != 0 else {
            position += 4
            return true
        }
        guard let length = data.load(UInt32.self, at: position) else { return false }
        position += 4 + (Int(length) + 3) & ~3
        return position <= data.count
    }

    private func fixedSize(_ type: UInt16) -> Int? {
        switch type {
        case 0x00, 0x01: 4
        case 0x02, 0x0b, 0x03, 0x04, 0x0a: 4
        case 0x05, 0x06, 0x07, 0x14, 0x40: 8
        case 0x48: 16
        default: nil
        }
    }

    /// ASCII of UTF-16 text as far as it is that, up to its terminator; other characters become "?".
    package static func narrow(_ wide: ByteView) -> [UInt8] {
        var result: [UInt8] = []
        var index = 0
        while let unit = wide.load(UInt16.self, at: index), unit != 0, result.count < 1024 {
            result.append(unit < 0x80 ? UInt8(unit) : 0x3f)
            index += 2
        }
        return result
    }
}
