import BytesE
import MIMEE

/// The names of files in the script of an installer: instructions that extract a file say where its data lies.
struct NSISNames {
    private var places: [(offset: UInt32, string: UInt32)] = []
    private var strings: [UInt8] = []
    private var isWide = false

    private static let most = 20_000
    private static let extract: UInt32 = 20

    init() {}

    /// - Parameter header: the script's data: flags, then place and number of pages, sections, instructions, strings…
    init(_ header: ByteView) {
        guard let entries = header.load(UInt32.self, at: 20), let count = header.load(UInt32.self, at: 24),
            let start = header.load(UInt32.self, at: 28), let end = header.load(UInt32.self, at: 36),
            start < end, Int(entries) < header.count
        else { return }
        strings = header.slice(Int(start), Int(end)).prefix(1 << 20).array
        isWide = strings.count > 1 && strings[0] == 0 && strings[1] == 0
        for index in 0..<min(Int(count), Self.most) {
            let place = Int(entries) + 28 * index
            guard let code = header.load(UInt32.self, at: place) else { return }
            guard code == Self.extract, let string = header.load(UInt32.self, at: place + 8),
                let offset = header.load(UInt32.self, at: place + 12)
            else { continue }
            places.append((offset, string))
        }
        places.sort { $0.offset < $1.offset }
    }

    /// The name of the file whose data begins there; empty when the script has none.
    func name(of offset: Int) -> [UInt8] {
        var low = 0
        var high = places.count
        while low < high {
            let middle = (low + high) / 2
            if Int(places[middle].offset) < offset { low = middle + 1 } else { high = middle }
        }
        guard low < places.count, Int(places[low].offset) == offset else { return [] }
        return text(at: Int(places[low].string))
    }

    /// A string without its references to variables and to texts, which are a control character and its operand.
    private func text(at index: Int) -> [UInt8] {
        let step = isWide ? 2 : 1
        var place = index * step
        var result: [UInt8] = []
        while place + step <= strings.count, result.count < 1024 {
            let low = strings[place]
            let high = isWide ? strings[place + 1] : 0
            place += step
            if low == 0 && high == 0 { break }
            if high == 0 && (low < 5 || low >= 0xfc && !isWide) {
                place += 2
                continue
            }
            result.append(low)
            if isWide { result.append(high) }
        }
        let charset = isWide ? Charset.utf16LittleEndian : Charset.windows1252
        return result.withUnsafeBufferPointer { charset.decode(ByteView($0)) }
    }
}
