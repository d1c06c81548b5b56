import BytesE
import CSearch
import Executables
import OldArchives
import Passwords

/// Programs and archives that begin somewhere inside of other bytes, told by their first bytes and by what these say of
/// themselves, in ascending order.
///
/// Programs for Windows and Linux, Mach-O, RAR, 7z, cabinets, ARJ; ZIP has an end of its own to find it by.
struct EmbeddedFiles {
    private let data: ByteView
    private var position: Int
    /// The next place of either set of pairs; nil when it is still to be sought.
    private var hits: (Int?, Int?) = (nil, nil)

    /// - Parameter data: what begins with its first byte is not looked for.
    init(_ data: ByteView) {
        self.data = data
        // All of them have zeros in their headers: most texts end here.
        position = data.firstIndex(of: 0) == nil ? data.count : 1
    }

    /// The next file: from its beginning to its end, as far as it tells, else to the end of the data.
    mutating func next() -> Range<Int>? {
        while position < data.count {
            let first = hits.0 ?? hit(Self.firstPairs)
            let second = hits.1 ?? hit(Self.secondPairs)
            hits = (first, second)
            let place = min(first, second)
            guard place < data.count else { break }
            if let range = file(at: place) {
                position = max(place, range.upperBound == data.count ? place : range.upperBound - 1) + 1
                hits = (nil, nil)
                return range
            }
            position = place + 1
            if place == first { hits.0 = nil }
            if place == second { hits.1 = nil }
        }
        position = data.count
        return nil
    }

    private func hit(_ pairs: InlineArray<4, CSearch_words>) -> Int {
        guard let base = data.buffer.baseAddress, position < data.count - Self.reach else { return data.count }
        let end = data.count - Self.reach
        let place = pairs.span.withUnsafeBufferPointer { pairs in
            pairs.baseAddress.map { CSearch_any_pair(base, position, end, $0) } ?? end
        }
        return place < end ? place : data.count
    }

    private static let reach = 3

    /// Rare pairs: "P.\0", "\x7F..F", "R..!", "7.\xBC".
    private static var firstPairs: InlineArray<4, CSearch_words> {
        [pair(0x50, 0, 2), pair(0x7f, 0x46, 3), pair(0x52, 0x21, 3), pair(0x37, 0xbc, 2)]
    }

    /// "M..F", 60 EA, and both Mach-O with the lowest byte first.
    private static var secondPairs: InlineArray<4, CSearch_words> {
        [pair(0x4d, 0x46, 3), pair(0x60, 0xea, 1), pair(0xcf, 0xfe, 3), pair(0xce, 0xfe, 3)]
    }

    private static func pair(_ first: UInt8, _ second: UInt8, _ distance: Int) -> CSearch_words {
        CSearch_words(
            first: CSearch_byte(value: first, mask: 0), second: CSearch_byte(value: second, mask: 0),
            distance: distance)
    }

    /// The file of which a pair lies at a place.
    private func file(at place: Int) -> Range<Int>? {
        let rest = data.dropFirst(place)
        switch data[place] {
        case 0x50: return program(headerAt: place)
        case 0x7f:
            return rest.hasPrefix(ByteView("\u{7f}ELF")) && ELFFile(rest) != nil ? place..<data.count : nil
        case 0xcf, 0xce:
            // Few kinds of processors and of files exist; the type of the file stands behind that of the processor.
            guard rest.load(UInt32.self, at: 0).map({ $0 | 1 }) == 0xfeed_facf,
                let kind = rest.load(UInt32.self, at: 12),
                (1...12).contains(kind), MachOFile(rest) != nil
            else { return nil }
            return place..<data.count
        case 0x52: return isRARArchive(rest) ? place..<data.count : nil
        case 0x37:
            // The checksum of what follows it: programs that open archives have the mark alone.
            guard rest.loadBigEndian(UInt32.self, at: 0) == 0x377a_bcaf, rest.load(UInt16.self, at: 4) == 0x1c27,
                rest.count > 32, rest.load(UInt32.self, at: 8) == checksum(rest.slice(12, 32)),
                let offset = rest.load(UInt64.self, at: 12), let size = rest.load(UInt64.self, at: 20)
            else { return nil }
            let (end, isHuge) = offset.addingReportingOverflow(size)
            guard !isHuge, end < UInt64(rest.count - 32) else { return place..<data.count }
            return place..<(place + 32 + Int(end))
        case 0x4d:
            // Version 1.3, folders and files.
            guard rest.hasPrefix(ByteView("MSCF\0\0\0\0")), let size = rest.load(UInt32.self, at: 8), size > 44,
                let files = rest.load(UInt32.self, at: 16), files >= 36, files < size,
                rest.load(UInt16.self, at: 24) == 0x0103, let folders = rest.load(UInt16.self, at: 26), folders > 0,
                let count = rest.load(UInt16.self, at: 28), count > 0
            else { return nil }
            return place..<(place + min(rest.count, Int(size)))
        default: return isARJ(rest) ? place..<data.count : nil
        }
    }

    /// The Windows program whose PE header lies at a place: its beginning, which has the distance, lies shortly before.
    private func program(headerAt place: Int) -> Range<Int>? {
        guard data.load(UInt32.self, at: place) == 0x4550 else { return nil }
        var end = place
        let lowest = max(position, place - 4096, 1)
        while let start = data.lastIndex(of: 0x4d, then: 0x5a, distance: 1, in: lowest..<end) {
            if data.load(UInt32.self, at: start + 60) == UInt32(place - start),
                let file = PEFile(data.dropFirst(start)), file.header.sectionCount <= 96
            {
                return start..<(start + file.overlay.lowerBound)
            }
            end = start
        }
        return nil
    }
}
