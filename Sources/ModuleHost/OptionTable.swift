import Bytes
import CModuleABI
package import ScanProtocol

/// The options of a scan, as modules ask for them: by C string, without making a String.
///
/// Made once for each different set of options; scans share it.
package final class OptionTable: @unchecked Sendable {
    private let numbers: [(name: [CChar], value: Int64)]
    private let texts: [(name: [CChar], value: ByteView)]
    /// What the texts point into.
    private let storage: UnsafeMutablePointer<UInt8>
    package let limits: ScanLimits

    package init(_ options: ScanOptions, _ envelope: ScanEnvelope) {
        limits = ScanLimits(options)
        numbers = options.numbers.sorted { $0.key < $1.key }.map { (Array($0.key.utf8CString), $0.value) }
        var all = options.texts
        all["agent"] = envelope.agent
        all["mail.sender"] = envelope.sender
        all["mail.recipients"] = envelope.recipients.isEmpty ? nil : envelope.recipients.joined(separator: "\n")
        all["mail.client"] = envelope.clientAddress
        all["mail.helo"] = envelope.helo
        let sorted = all.sorted { $0.key < $1.key }
        let size = sorted.reduce(0) { $0 + $1.value.utf8.count }
        storage = .allocate(capacity: max(1, size))
        var offset = 0
        var texts: [(name: [CChar], value: ByteView)] = []
        for (name, value) in sorted {
            let bytes = Array(value.utf8)
            (storage + offset).update(from: bytes, count: bytes.count)
            texts.append((Array(name.utf8CString), ByteView(base: storage + offset, count: bytes.count)))
            offset += bytes.count
        }
        self.texts = texts
    }

    deinit {
        storage.deallocate()
    }

    func number(_ name: UnsafePointer<CChar>, otherwise: Int64) -> Int64 {
        for entry in numbers where Self.equal(entry.name, name) { return entry.value }
        return otherwise
    }

    func text(_ name: UnsafePointer<CChar>) -> ByteView {
        for entry in texts where Self.equal(entry.name, name) { return entry.value }
        return ByteView()
    }

    private static func equal(_ left: [CChar], _ right: UnsafePointer<CChar>) -> Bool {
        for index in left.indices {
            if left[index] != right[index] { return false }
            if left[index] == 0 { return true }
        }
        return false
    }
}
