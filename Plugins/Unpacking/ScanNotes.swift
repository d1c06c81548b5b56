package import BytesE
package import ModuleKit

/// What extractors tell each other about one scan: the messages that are open, and which passwords fitted.
///
/// The unpacker of the root object makes it, and it goes with that.
package final class ScanNotes {
    /// The bytes of the messages that are open, the innermost one last; each is there as long as its unpacker.
    package private(set) var messages: [ByteView] = []
    /// Words of the messages that may be passwords, once somebody collected them.
    package var words: [[UInt8]]?
    /// Passwords that opened something in this scan, the first one first.
    package var fitting: [[UInt8]] = []
    /// How much may still be spent on trying passwords, in rounds of a hash.
    package var workLeft = 12_000_000

    /// Objects by their id that another extractor opened although they are encrypted.
    package var opened: [UInt64] = []
    /// The object of which was said last that a password opened it.
    package var lastReported: UInt64 = 0

    package init() {}

    /// A message is opened.
    package func enter(_ message: ByteView) {
        messages.append(message)
        words = nil
    }

    /// The message that was opened last is closed.
    package func leave() {
        _ = messages.popLast()
        words = nil
    }
}

extension ScanContext {
    /// The notes of this scan; nil when its root was opened by somebody else.
    package var notes: ScanNotes? {
        services.openScans.value(for: handle).map { Unmanaged<ScanNotes>.fromOpaque($0).takeUnretainedValue() }
    }
}
