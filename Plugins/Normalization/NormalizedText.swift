package import BytesE
import CSearch

/// A normalised form of an object, in memory that somebody else owns.
///
/// What does not fit is left out and told; nothing is written behind the end.
package struct NormalizedText {
    private let base: UnsafeMutablePointer<UInt8>
    private let capacity: Int
    /// Bytes written.
    package private(set) var count = 0
    /// Something was left out.
    package private(set) var isCut = false

    /// - Parameters:
    ///   - base: where it goes; must stay valid as long as this and `bytes`.
    ///   - capacity: bytes that fit there. `room(for:)` is enough for every form.
    package init(base: UnsafeMutablePointer<UInt8>, capacity: Int) {
        self.base = base
        self.capacity = max(0, capacity)
    }

    /// Bytes that a form of an object of `size` bytes needs at most.
    ///
    /// The worst is a character by name: four bytes such as `&Mu;` become eight.
    package static func room(for size: Int) -> Int { 2 * size + 64 }

    /// What was written.
    package var bytes: ByteView { ByteView(base: UnsafePointer(base), count: count) }

    @inline(__always) mutating func append(_ byte: UInt8) {
        guard count < capacity else {
            isCut = true
            return
        }
        base[count] = byte
        count += 1
    }

    mutating func append(_ bytes: ByteView) {
        let fits = min(bytes.count, capacity - count)
        if fits < bytes.count { isCut = true }
        guard let from = bytes.base else { return }
        (base + count).update(from: from, count: fits)
        count += fits
    }

    /// Appends visible ASCII in small letters, up to the first byte that is one of four or does not fit.
    ///
    /// - Parameter keepsSpaces: single spaces between belong to it.
    /// - Returns: bytes of the text that were appended.
    mutating func appendShown(_ text: ByteView, upTo stops: Stops, keepsSpaces: Bool = false) -> Int {
        guard let from = text.base else { return 0 }
        let fits = min(text.count, capacity - count)
        let taken = withUnsafeBytes(of: stops.bytes) { stops in
            CSearch_copy_shown(
                from, fits, base + count, stops.baseAddress?.assumingMemoryBound(to: UInt8.self), keepsSpaces ? 1 : 0)
        }
        count += taken
        return taken
    }

    /// Four bytes that end a run.
    struct Stops {
        let bytes: (UInt8, UInt8, UInt8, UInt8)

        init(_ text: StaticString) {
            let start = text.utf8Start
            bytes = (start[0], start[1], start[2], start[3])
        }
    }

    /// Appends text as `PlainText` has it, up to the first byte that is left out or does not fit.
    ///
    /// - Parameter afterSpace: whether white space precedes it; then, whether what was appended ends with some.
    /// - Returns: bytes of the text that were appended.
    mutating func appendPlain(_ text: ByteView, afterSpace: inout Bool) -> Int {
        guard let from = text.base else { return 0 }
        var after: Int32 = afterSpace ? 1 : 0
        let taken = CSearch_copy_plain(from, min(text.count, capacity - count), base + count, &after)
        afterSpace = after != 0
        count += taken
        return taken
    }

    /// Takes the last byte back.
    mutating func removeLast() {
        if count > 0 { count -= 1 }
    }
}
