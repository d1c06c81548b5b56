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
    private let envelope: TextTable
    package let limits: ScanLimits

    /// Sorted, as the texts that `init` makes of the envelope.
    private static let envelopeNames = NameTable([
        "agent", "mail.client", "mail.helo", "mail.recipients", "mail.sender",
    ])

    package init(_ options: ScanOptions, _ envelope: ScanEnvelope) {
        let fixed = options.derived { FixedOptions(options) }
        numbers = fixed.numbers
        texts = fixed.texts
        limits = fixed.limits
        let recipients =
            envelope.recipients.count > 1 ? envelope.recipients.joined(separator: "\n") : envelope.recipients.first
        self.envelope = TextTable(
            Self.envelopeNames, [envelope.agent, envelope.clientAddress, envelope.helo, recipients, envelope.sender])
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
        let sorted = options.texts.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        texts = TextTable(NameTable(sorted.map(\.key)), sorted.map(\.value))
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

private final class TextTable: @unchecked Sendable {
    // @unchecked: nothing changes after init.
    private let names: NameTable
    private var values: [ByteView?] = []
    /// What the values point into.
    private let storage: UnsafeMutablePointer<UInt8>

    /// - Parameter texts: in the order of the names; nil: as if there was no such name.
    init(_ names: NameTable, _ texts: [String?]) {
        self.names = names
        storage = .allocate(capacity: max(1, texts.reduce(0) { $0 + ($1?.utf8.count ?? 0) }))
        values.reserveCapacity(texts.count)
        var offset = 0
        for text in texts {
            guard let text else {
                values.append(nil)
                continue
            }
            let begin = offset
            for byte in text.utf8 {
                storage[offset] = byte
                offset += 1
            }
            values.append(ByteView(base: storage + begin, count: offset - begin))
        }
    }

    deinit {
        storage.deallocate()
    }

    func value(_ name: UnsafePointer<CChar>) -> ByteView? { names.index(of: name).flatMap { values[$0] } }
}
