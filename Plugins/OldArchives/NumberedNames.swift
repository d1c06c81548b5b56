/// Names of files by a number that an archive has for each: a table that is filled, sorted, and then asked.
struct NumberedNames {
    private var entries: [(number: UInt64, name: Range<Int>)] = []
    /// All names, one behind another.
    private var text: [UInt8] = []

    var isFull: Bool { entries.count >= 65_536 }

    mutating func add(_ name: [UInt8], for number: UInt64) {
        entries.append((number, text.count..<(text.count + name.count)))
        text += name
    }

    mutating func sort() { entries.sort { $0.number < $1.number } }

    /// The name with this number; empty when there is none.
    func name(_ number: UInt64) -> [UInt8] {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].number < number { low = middle + 1 } else { high = middle }
        }
        return low < entries.count && entries[low].number == number ? Array(text[entries[low].name]) : []
    }
}
