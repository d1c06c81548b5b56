/// Why a module is refused: which check failed, and how.
package struct Refusal: Error, Equatable {
    /// The name of the check: "elf", "segments", "dynamic", "symbol", "manifest", "signature" …
    package let check: StaticText
    /// A sentence.
    package let reason: StaticText

    package init(_ check: StaticString, _ reason: StaticString) {
        self.check = StaticText(check)
        self.reason = StaticText(reason)
    }

    /// "check: reason" as bytes.
    package var text: [UInt8] { check.bytes + [0x3a, 0x20] + reason.bytes }
}

/// A literal that can be compared, in both worlds.
package struct StaticText: Equatable, Sendable {
    private let text: StaticString

    package init(_ text: StaticString) {
        self.text = text
    }

    package var bytes: [UInt8] {
        [UInt8](UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    package static func == (left: StaticText, right: StaticText) -> Bool {
        left.bytes == right.bytes
    }
}
