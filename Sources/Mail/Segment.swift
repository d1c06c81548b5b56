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
    /// What stands first where several things are inserted at one place: an empty body begins where its header ends.
    enum Rank: Int, Comparable {
        case header, emptyLine, body

        static func < (a: Rank, b: Rank) -> Bool { a.rawValue < b.rawValue }
    }

    private struct Edit {
        var range: Range<Int>
        var bytes: [UInt8]
        var rank: Rank
        var serial: Int
    }
    private var edits: [Edit] = []

    /// Parts that got header fields, by index in the outline.
    private(set) var extendedHeaders: Set<Int> = []

    mutating func replace(_ range: Range<Int>, with bytes: [UInt8], rank: Rank = .header) {
        edits.append(Edit(range: range, bytes: bytes, rank: rank, serial: edits.count))
    }

    /// Insertions at one place stand before what is replaced there, in the order of their ranks, then as made.
    mutating func insert(_ bytes: [UInt8], at offset: Int, rank: Rank = .header) {
        replace(offset..<offset, with: bytes, rank: rank)
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
            if $0.rank != $1.rank { return $0.rank < $1.rank }
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
