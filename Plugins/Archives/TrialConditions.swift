import BytesE

/// What a fuzzer may choose besides the bytes of an object: the scan's limits, the object's names, passwords.
///
/// An input that ends with the eight bytes "fuzzwith" has eight numbers of one byte before them, and the texts before
/// these. Limits are one more than what they stand for, and 0 where the usual holds: objects, bytes that come out in
/// steps of 64, checks until the scan is cancelled, memory in steps of 4 KiB. Then come the lengths of the name, of the
/// declared type, of the passwords, and flags: 1 for an object that lies as deep as objects may, 2 for one that is given
/// as pieces, because most of it is zeros, as on a disk.
struct TrialConditions {
    let name: ByteView
    let declared: ByteView
    private let content: ByteView
    private let passwords: ByteView
    private let numbers: ByteView

    private static let mark: StaticString = "fuzzwith"
    private static let sectorSize = 512
    /// Bytes of an object that is given as pieces.
    private static let largest = 4 << 20

    /// Nil when the input is nothing but an object.
    init?(endOf input: ByteView) {
        guard input.count >= 16, input.dropFirst(input.count - 8).equals(ByteView(Self.mark)) else { return nil }
        numbers = input.slice(input.count - 16, input.count - 8)
        let end = input.count - 16
        let third = max(0, end - Int(numbers[6]))
        let second = max(0, third - Int(numbers[5]))
        let first = max(0, second - Int(numbers[4]))
        content = input.prefix(first)
        name = input.slice(first, second)
        declared = input.slice(second, third)
        passwords = input.slice(third, end)
    }

    /// The object.
    var bytes: [UInt8] {
        guard numbers[7] & 2 != 0 else { return content.array }
        // Each piece: the number of its sector, its length, both of two bytes, and its bytes.
        var result: [UInt8] = []
        var place = 0
        while let sector = content.load(UInt16.self, at: place), let length = content.load(UInt16.self, at: place + 2) {
            let start = Int(sector) * Self.sectorSize
            guard start + Int(length) <= Self.largest else { break }
            let piece = content.slice(place + 4, place + 4 + Int(length))
            place += 4 + Int(length)
            let missing = start + piece.count - result.count
            if missing > 0 { result.append(contentsOf: [UInt8](repeating: 0, count: missing)) }
            for index in 0..<piece.count { result[start + index] = piece[index] }
        }
        return result
    }

    func host() -> TrialHost {
        let host = TrialHost(memory: numbers[3] == 0 ? 4 << 20 : (Int(numbers[3]) - 1) << 12)
        host.mostObjects = numbers[0] == 0 ? 1_000 : UInt64(numbers[0] - 1)
        if numbers[1] > 0 { host.mostBytes = UInt64(numbers[1] - 1) * 64 }
        if numbers[2] > 0 { host.mostChecks = Int(numbers[2] - 1) }
        host.mayGoDeeper = numbers[7] & 1 == 0
        host.passwords = passwords
        return host
    }
}
