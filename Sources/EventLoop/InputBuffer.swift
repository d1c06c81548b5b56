package import Bytes

/// Bytes that have come and are not consumed yet, in one piece of memory that does not move until more is read.
/// Belongs to one stream.
package final class InputBuffer {
    private var storage: UnsafeMutableRawBufferPointer
    private var low = 0
    private var high = 0

    package init() {
        storage = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }

    deinit {
        storage.deallocate()
    }

    /// Number of bytes.
    package var count: Int { high - low }

    /// The bytes in place: valid until `reserve` is called.
    package var view: ByteView { ByteView(UnsafeRawBufferPointer(rebasing: storage[low..<high])) }

    /// Drops bytes from the front; more than there are counts as all.
    package func consume(_ amount: Int) {
        low = min(low + max(0, amount), high)
        if low == high {
            low = 0
            high = 0
        }
    }

    /// Free room of at least `amount` bytes behind the content; write there, then call `commit`.
    package func reserve(_ amount: Int) -> UnsafeMutableRawBufferPointer {
        let held = count
        if storage.count - high < amount {
            // Twice what is needed when it grows; back to the small size when a large content is gone.
            let size = max(Self.smallest, held + amount > storage.count / 2 ? 2 * (held + amount) : storage.count)
            if size == storage.count {
                storage.copyMemory(from: UnsafeRawBufferPointer(rebasing: storage[low..<high]))
            } else {
                let grown = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
                grown.copyMemory(from: UnsafeRawBufferPointer(rebasing: storage[low..<high]))
                storage.deallocate()
                storage = grown
            }
            low = 0
            high = held
        } else if held == 0, storage.count > Self.largestKept {
            storage.deallocate()
            storage = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.smallest, alignment: 16)
            low = 0
            high = 0
            if storage.count < amount { return reserve(amount) }
        }
        return UnsafeMutableRawBufferPointer(rebasing: storage[high...])
    }

    /// So many bytes were written into the reserved room.
    package func commit(_ amount: Int) {
        precondition(amount >= 0 && amount <= storage.count - high, "more committed than reserved")
        high += amount
    }

    /// Appends a copy.
    package func append(_ bytes: ByteView) {
        let room = reserve(bytes.count)
        room.copyMemory(from: UnsafeRawBufferPointer(bytes.buffer))
        commit(bytes.count)
    }

    private static let smallest = 16_384
    private static let largestKept = 262_144
}
