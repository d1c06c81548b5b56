import BytesE
import CModuleABI
import ModuleKit
import Unpacking

/// Rich text: embedded objects and other hexadecimal data.
///
/// Word reads the digits of a destination wherever they stand and skips control words between them; whether it takes
/// digits of groups inside has changed, so where there are such digits both readings are offered.
final class RTFUnpacker: Unpacker {
    private var position = 0
    private var pending: Int?

    static var extractor: Extractor {
        Extractor(
            "RTF",
            identify: { candidate in
                // Word accepts "{\rt" and space before it.
                var start = 0
                let data = candidate.data.prefix(64)
                while start < data.count, isASCIISpace(data[start]) { start += 1 }
                return data.dropFirst(start).hasPrefix(ByteView("{\\rt")) ? .magic(EM_TYPE_RTF) : nil
            },
            open: { scan, object, _ throws(ModuleError) in RTFUnpacker(scan, object, format: "RTF") })
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        if let start = pending {
            pending = nil
            var child = Child()
            _ = try decode(from: start, withInnerGroups: true, &child)
            try submitObject(child)
            return true
        }
        while let start = try nextDestination() {
            var child = Child()
            let reading = try decode(from: start, withInnerGroups: false, &child)
            position = max(start, reading.end)
            if reading.hasInnerDigits { pending = start }
            if child.data.isEmpty {
                guard let again = pending else { continue }
                pending = nil
                _ = try decode(from: again, withInnerGroups: true, &child)
            }
            try submitObject(child)
            return true
        }
        return false
    }

    /// The place behind the next control word that begins hexadecimal data.
    private func nextDestination() throws(ModuleError) -> Int? {
        while let slash = data.prefix(position + 65536).firstIndex(of: 0x5c, from: position)
            ?? (position + 65536 < data.count ? -1 : nil)
        {
            if slash < 0 {
                position += 65536
                try scan.check()
                continue
            }
            position = slash + 1
            let rest = data.slice(position, position + 16)
            for word: StaticString in ["objdata", "datastore", "themedata", "pict", "fontemb", "colorschememapping"] {
                let word = ByteView(word)
                guard rest.hasPrefixIgnoringCase(word) else { continue }
                let end = position + word.count
                if end < data.count, isLetter(data[end]) { continue }
                position = end
                return end
            }
            if position & 0xff == 0 { try scan.check() }
        }
        return nil
    }

    private func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }

    /// Decodes the digits from a place to the end of the group that it is in.
    private func decode(
        from start: Int, withInnerGroups: Bool, _ child: inout Child
    ) throws(ModuleError) -> (end: Int, hasInnerDigits: Bool) {
        var output = try Output(scan, in: object, expected: (data.count - start) / 2)
        var depth = 0
        var hasInner = false
        var high: UInt8?
        var index = start
        var looked = start
        reading: while index < data.count, output.stoppedBy == 0 {
            if index - looked > 65536 {
                looked = index
                try scan.check()
            }
            let byte = data[index]
            switch byte {
            case 0x7b: depth += 1
            case 0x7d:
                depth -= 1
                if depth < 0 { break reading }
            case 0x5c:
                let word = controlWord(at: index + 1)
                index = word.end
                if word.isBinary {
                    // \binN: so many bytes as they are.
                    let bytes = data.slice(index, index + word.number)
                    guard try output.append(bytes) else { break reading }
                    index += bytes.count
                }
                continue
            default:
                guard let digit = hexadecimalDigit(byte) else { break }
                if depth > 0 {
                    hasInner = true
                    guard withInnerGroups else { break }
                }
                if let first = high {
                    guard try output.append(first << 4 | digit) else { break reading }
                    high = nil
                } else {
                    high = digit
                }
            }
            index += 1
        }
        if depth >= 0 && index >= data.count { child.flags |= EM_OBJECT_TRUNCATED }
        child.offset = UInt64(start)
        child.extent = UInt64(index - start)
        try close(&output, &child)
        return (index, hasInner)
    }

    /// A control word or symbol behind a backslash.
    private func controlWord(at start: Int) -> (end: Int, isBinary: Bool, number: Int) {
        guard start < data.count else { return (data.count, false, 0) }
        guard isLetter(data[start]) else {
            // \'hh is a character, other symbols are one byte.
            return (min(data.count, start + (data[start] == 0x27 ? 3 : 1)), false, 0)
        }
        var index = start
        while index < data.count, isLetter(data[index]), index - start < 32 { index += 1 }
        let word = data.slice(start, index)
        var number = 0
        if index < data.count, data[index] == 0x2d { index += 1 }
        while index < data.count, data[index] &- 0x30 < 10 {
            number = min(number * 10 + Int(data[index] &- 0x30), 1 << 30)
            index += 1
        }
        if index < data.count, data[index] == 0x20 { index += 1 }
        return (index, word.equalsIgnoringCase(ByteView("bin")), number)
    }

    private func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }

    /// Offers the data; of an OLE1 object (MS-OLEDS 2.2.5) what is inside.
    private func submitObject(_ whole: Child) throws(ModuleError) {
        let bytes = whole.data
        guard let format = bytes.load(UInt32.self, at: 4), format == 1 || format == 2 else {
            try submit(whole)
            return
        }
        var index = 8
        for _ in 0..<3 {
            guard let length = bytes.load(UInt32.self, at: index), Int(length) <= bytes.count - index else {
                try submit(whole)
                return
            }
            index += 4 + Int(length)
        }
        guard let size = bytes.load(UInt32.self, at: index) else {
            try submit(whole)
            return
        }
        index += 4
        let native = bytes.slice(index, index + Int(size))
        if let package = OLEPackage(native) {
            var child = whole
            child.data = package.data
            if !package.isComplete { child.flags |= EM_OBJECT_TRUNCATED }
            try submit(child, name: package.name.array)
        } else {
            var child = whole
            // Sizes that lie hide what follows: everything behind the header.
            child.data = bytes.dropFirst(index)
            try submit(child)
        }
    }
}
