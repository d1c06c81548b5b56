import BytesE
import ModuleKit
import Unpacking

/// Expands bzip2 as NSIS writes it: without the stream's header and the checksums, with one byte as mark of a block
/// and of the end.
struct BlockSorting {
    private let scan: ScanContext
    /// The sorted characters in their low 8 bits, above them the links that undo the sorting.
    private let links: UnsafeMutablePointer<UInt32>

    private static let largest = 900_000

    /// Takes 3.6 MB of the arena.
    init(_ scan: ScanContext) throws(ModuleError) {
        self.scan = scan
        let memory = try scan.allocate(Self.largest * 4)
        links = memory.bindMemory(to: UInt32.self, capacity: Self.largest)
    }

    func expand(_ packed: ByteView, into output: inout Output) throws(ModuleError) -> InflateEnd {
        var bits = BitReader(packed.buffer)
        while true {
            try scan.check()
            switch bits.take(8) {
            case 0x31: break
            case 0x17: return .complete
            default: return bits.isPastEnd ? .truncated : .damaged
            }
            let origin = bits.take(24)
            guard let (count, frequencies) = try readBlock(&bits), origin < count else {
                return bits.isPastEnd ? .truncated : .damaged
            }
            link(count, frequencies)
            guard try write(count, origin, into: &output) else { return .overLimit }
        }
    }

    private typealias Frequencies = InlineArray<256, UInt32>

    /// Reads the sorted characters; how many they are, and of each.
    private func readBlock(_ bits: inout BitReader) throws(ModuleError) -> (Int, Frequencies)? {
        var order = InlineArray<256, UInt8>(repeating: 0)
        var used = 0
        let groups = bits.take(16)
        for group in 0..<16 where groups >> (15 - group) & 1 == 1 {
            let map = bits.take(16)
            for index in 0..<16 where map >> (15 - index) & 1 == 1 {
                order[used] = UInt8(group * 16 + index)
                used += 1
            }
        }
        let tables = bits.take(3)
        let selectorCount = bits.take(15)
        guard used > 0, (2...6).contains(tables), selectorCount > 0 else { return nil }
        guard let selectors = readSelectors(&bits, selectorCount, tables), !bits.isPastEnd,
            let codes = readCodes(&bits, tables, used + 2)
        else { return nil }
        var frequencies = Frequencies(repeating: 0)
        var count = 0
        var run = 0
        var weight = 1
        var turns = 0
        while true {
            guard turns / 50 < selectors.count, !bits.isPastEnd,
                let symbol = bits.decode(codes[Int(selectors[turns / 50])])
            else { return nil }
            turns += 1
            if turns & 0x3fff == 0 { try scan.check() }
            if symbol < 2 {
                guard weight <= Self.largest else { return nil }
                run += weight << symbol
                weight <<= 1
                continue
            }
            if run > 0 {
                guard run <= Self.largest - count else { return nil }
                let byte = order[0]
                for index in count..<count + run { links[index] = UInt32(byte) }
                frequencies[Int(byte)] += UInt32(run)
                count += run
                run = 0
                weight = 1
            }
            if symbol == used + 1 { return (count, frequencies) }
            guard symbol - 1 < used, count < Self.largest else { return nil }
            let byte = order[symbol - 1]
            var index = symbol - 1
            while index > 0 {
                order[index] = order[index - 1]
                index -= 1
            }
            order[0] = byte
            links[count] = UInt32(byte)
            frequencies[Int(byte)] += 1
            count += 1
        }
    }

    private func readSelectors(_ bits: inout BitReader, _ count: Int, _ tables: Int) -> [UInt8]? {
        var order: InlineArray<6, UInt8> = [0, 1, 2, 3, 4, 5]
        var result: [UInt8] = []
        result.reserveCapacity(count)
        for _ in 0..<count {
            let place = bits.ones(most: tables)
            guard place < tables else { return nil }
            let table = order[place]
            var index = place
            while index > 0 {
                order[index] = order[index - 1]
                index -= 1
            }
            order[0] = table
            result.append(table)
        }
        return result
    }

    private func readCodes(_ bits: inout BitReader, _ tables: Int, _ symbols: Int) -> [PrefixCode]? {
        var result: [PrefixCode] = []
        for _ in 0..<tables {
            var lengths: [UInt8] = []
            var length = bits.take(5)
            for _ in 0..<symbols {
                while true {
                    guard (1...20).contains(length), !bits.isPastEnd else { return nil }
                    if bits.take(1) == 0 { break }
                    length += bits.take(1) == 0 ? 1 : -1
                }
                lengths.append(UInt8(length))
            }
            result.append(PrefixCode(lengths))
        }
        return result
    }

    /// Puts above each character where the one before it in the text lies.
    private func link(_ count: Int, _ frequencies: Frequencies) {
        var places = frequencies
        var sum: UInt32 = 0
        for byte in 0..<256 {
            places[byte] = sum
            sum += frequencies[byte]
        }
        for index in 0..<count {
            let byte = Int(links[index] & 0xff)
            links[Int(places[byte])] |= UInt32(index) << 8
            places[byte] += 1
        }
    }

    /// Follows the links, and expands runs: four equal characters are followed by how many more there are.
    private func write(_ count: Int, _ origin: Int, into output: inout Output) throws(ModuleError) -> Bool {
        var place = Int(links[origin] >> 8)
        var last = -1
        var equal = 0
        for index in 0..<count {
            if index & 0xffff == 0 { try scan.check() }
            let link = links[place]
            place = Int(link >> 8)
            let byte = UInt8(truncatingIfNeeded: link)
            if equal == 4 {
                guard try output.append(UInt8(last), count: Int(byte)) else { return false }
                equal = 0
                last = -1
                continue
            }
            equal = Int(byte) == last ? equal + 1 : 1
            last = Int(byte)
            guard try output.append(byte) else { return false }
        }
        return true
    }
}
