/// A piece of a rewritten message. Writing the pieces in order gives the new message; what did not change is
/// only referred to, so a message of any size costs no more memory than its changes.
package enum Segment: Sendable, Equatable {
    /// Bytes of the original, as offsets from its beginning.
    case original(Range<Int>)
    /// New bytes.
    case bytes([UInt8])

    /// Its length in bytes.
    package var count: Int {
        switch self {
        case .original(let range): range.count
        case .bytes(let bytes): bytes.count
        }
    }
}

/// Changes to a message, collected in any order.
struct EditList {
    private struct Edit {
        var range: Range<Int>
        var bytes: [UInt8]
        var serial: Int
    }
    private var edits: [Edit] = []

    /// Parts that got header fields, by index in the outline.
    private(set) var extendedHeaders: Set<Int> = []

    mutating func replace(_ range: Range<Int>, with bytes: [UInt8]) {
        edits.append(Edit(range: range, bytes: bytes, serial: edits.count))
    }

    /// Insertions at one place stand in the order in which they were made, before what is replaced there.
    mutating func insert(_ bytes: [UInt8], at offset: Int) {
        replace(offset..<offset, with: bytes)
    }

    /// The same for header fields of a part.
    mutating func insert(_ fields: [UInt8], at offset: Int, extendsHeaderOf index: Int) {
        insert(fields, at: offset)
        extendedHeaders.insert(index)
    }

    /// The new message. An edit that overlaps an earlier one in the message is left out: removing wins over
    /// anything inside what is removed.
    func segments(of total: Int) -> [Segment] {
        let sorted = edits.sorted {
            if $0.range.lowerBound != $1.range.lowerBound { return $0.range.lowerBound < $1.range.lowerBound }
            if $0.range.isEmpty != $1.range.isEmpty { return $0.range.isEmpty }
            if $0.range.upperBound != $1.range.upperBound { return $0.range.upperBound > $1.range.upperBound }
            return $0.serial < $1.serial
        }
        var result: [Segment] = []
        var position = 0
        for edit in sorted where edit.range.lowerBound >= position && edit.range.upperBound <= total {
            if edit.range.lowerBound > position { result.append(.original(position..<edit.range.lowerBound)) }
            if !edit.bytes.isEmpty { result.append(.bytes(edit.bytes)) }
            position = edit.range.upperBound
        }
        if position < total { result.append(.original(position..<total)) }
        return result
    }
}
