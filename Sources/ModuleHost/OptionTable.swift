import Bytes
import Glibc
package import ScanProtocol

/// The options of a scan, as modules ask for them: by C string, without making a String.
///
/// What comes from the options is made once for each different set of them; only the envelope is a scan's own.
package final class OptionTable: @unchecked Sendable {
    // @unchecked: nothing changes after init.
    private let numbers: NumberTable
    private let texts: TextTable
    private let envelope: EnvelopeTable
    package let limits: ScanLimits

    package init(_ options: ScanOptions, _ envelope: ScanEnvelope) {
        let fixed = options.derived { FixedOptions(options) }
        numbers = fixed.numbers
        texts = fixed.texts
        limits = fixed.limits
        self.envelope = EnvelopeTable(envelope)
    }

    func number(_ name: UnsafePointer<CChar>, otherwise: Int64) -> Int64 {
        numbers.value(name) ?? otherwise
    }

    func text(_ name: UnsafePointer<CChar>) -> ByteView {
        envelope.value(name) ?? texts.value(name) ?? ByteView()
    }
}

/// What a set of options comes to.
private final class FixedOptions: Sendable {
    let numbers: NumberTable
    let texts: TextTable
    let limits: ScanLimits

    init(_ options: ScanOptions) {
        limits = ScanLimits(options)
        numbers = NumberTable(options.numbers)
        texts = TextTable(options.texts.map { ($0.key, $0.value) })
    }
}

/// Sorted C strings, one behind the other, to be searched by halves.
private final class NameTable: @unchecked Sendable {
    // @unchecked: nothing changes after init.
    private let storage: UnsafeMutablePointer<CChar>
    private let offsets: [Int]

    /// - Parameter names: sorted by their bytes.
    init(_ names: [String]) {
        let size = names.reduce(0) { $0 + $1.utf8.count + 1 }
        storage = .allocate(capacity: max(1, size))
        var offset = 0
        var offsets: [Int] = []
        for name in names {
            offsets.append(offset)
            for byte in name.utf8 {
                storage[offset] = CChar(bitPattern: byte)
                offset += 1
            }
            storage[offset] = 0
            offset += 1
        }
        self.offsets = offsets
    }

    deinit {
        storage.deallocate()
    }

    func index(of name: UnsafePointer<CChar>) -> Int? {
        var low = 0
        var high = offsets.count
        while low < high {
            let middle = (low + high) / 2
            let order = strcmp(name, storage + offsets[middle])
            if order == 0 { return middle }
            if order < 0 { high = middle } else { low = middle + 1 }
        }
        return nil
    }
}

private final class NumberTable: Sendable {
    private let names: NameTable
    private let values: [Int64]

    init(_ numbers: [String: Int64]) {
        let sorted = numbers.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        names = NameTable(sorted.map(\.key))
        values = sorted.map(\.value)
    }

    func value(_ name: UnsafePointer<CChar>) -> Int64? { names.index(of: name).map { values[$0] } }
}

/// What a scan's envelope says, under names that are always the same.
private final class EnvelopeTable: @unchecked Sendable {
    // @unchecked: nothing changes after init.
    private static let names = NameTable(["agent", "mail.client", "mail.helo", "mail.recipients", "mail.sender"])
    /// The texts, one behind the other.
    private let storage: UnsafeMutablePointer<UInt8>
    /// Where each begins and ends, in the order of the names; nil: the envelope does not say.
    private var places: [Range<Int>?] = []

    init(_ envelope: ScanEnvelope) {
        let recipients =
            envelope.recipients.count > 1 ? envelope.recipients.joined(separator: "\n") : envelope.recipients.first
        let texts = [envelope.agent, envelope.clientAddress, envelope.helo, recipients, envelope.sender]
        storage = .allocate(capacity: max(1, texts.reduce(0) { $0 + ($1?.utf8.count ?? 0) }))
        places.reserveCapacity(texts.count)
        var end = 0
        for text in texts {
            let begin = end
            for byte in (text ?? "").utf8 {
                storage[end] = byte
                end += 1
            }
            places.append(text == nil ? nil : begin..<end)
        }
    }

    deinit {
        storage.deallocate()
    }

    func value(_ name: UnsafePointer<CChar>) -> ByteView? {
        guard let index = Self.names.index(of: name), let place = places[index] else { return nil }
        return ByteView(base: storage + place.lowerBound, count: place.count)
    }
}

private final class TextTable: @unchecked Sendable {
    // @unchecked: nothing changes after init.
    private let names: NameTable
    private let values: [ByteView]
    /// What the values point into.
    private let storage: UnsafeMutablePointer<UInt8>

    init(_ texts: [(String, String)]) {
        let sorted = texts.sorted { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }
        names = NameTable(sorted.map(\.0))
        storage = .allocate(capacity: max(1, sorted.reduce(0) { $0 + $1.1.utf8.count }))
        var offset = 0
        var values: [ByteView] = []
        for (_, text) in sorted {
            let begin = offset
            for byte in text.utf8 {
                storage[offset] = byte
                offset += 1
            }
            values.append(ByteView(base: storage + begin, count: offset - begin))
        }
        self.values = values
    }

    deinit {
        storage.deallocate()
    }

    func value(_ name: UnsafePointer<CChar>) -> ByteView? { names.index(of: name).map { values[$0] } }
}
