package import BytesE

/// Regular expressions compiled lately, by their number in the database.
///
/// Used by one thread at a time; see `LendingPool`.
package final class RegexCache {
    /// Expressions kept. One takes some kilobytes, its machine code included.
    package static let capacity = 128

    private struct Entry {
        var number, options: UInt32
        var regex: Regex
        var used: UInt64
    }

    private var entries: [Entry] = []
    private var clock: UInt64 = 0

    package init() {}

    /// The expression of a number, compiled when it is not there; the one that was not used longest gives way.
    package func regex(_ number: UInt32, _ expression: ByteView, options: UInt32) -> Regex? {
        clock &+= 1
        for i in entries.indices where entries[i].number == number && entries[i].options == options {
            entries[i].used = clock
            return entries[i].regex
        }
        guard let regex = Regex(expression, options: options) else { return nil }
        let entry = Entry(number: number, options: options, regex: regex, used: clock)
        guard entries.count >= Self.capacity else {
            entries.append(entry)
            return regex
        }
        var oldest = 0
        for i in entries.indices where entries[i].used < entries[oldest].used { oldest = i }
        entries[oldest] = entry
        return regex
    }
}
