import CSlots

/// What an instance keeps for each scan that is under way, by the scan's handle.
///
/// Scans run on many threads at the same time, calls for one scan never overlap: so a slot is taken and given back
/// atomically, and what is in it belongs to its scan alone.
package final class OpenScans: @unchecked Sendable {
    /// Scans beyond so many have nothing kept for them.
    private static let capacity = 256
    private let slots: UnsafeMutablePointer<CSlots_slot>

    init() {
        slots = .allocate(capacity: Self.capacity)
        slots.initialize(repeating: CSlots_slot(), count: Self.capacity)
    }

    deinit { slots.deallocate() }

    /// Keeps a value for a scan that has none; false when there is no room. Its owner stays who calls, and must call
    /// `remove` before the scan ends.
    package func insert(_ value: UnsafeMutableRawPointer, for scan: OpaquePointer) -> Bool {
        let owner = UnsafeMutableRawPointer(scan)
        // Threads begin at different places, so that they seldom want the same slot.
        let start = Int(bitPattern: scan) >> 6 & (Self.capacity - 1)
        for step in 0..<Self.capacity {
            let slot = slots + ((start + step) & (Self.capacity - 1))
            if CSlots_claim(slot, owner) != 0 {
                slot.pointee.value = value
                return true
            }
        }
        return false
    }

    /// What is kept for a scan.
    package func value(for scan: OpaquePointer) -> UnsafeMutableRawPointer? { slot(of: scan)?.pointee.value }

    package func remove(_ scan: OpaquePointer) {
        if let slot = slot(of: scan) { CSlots_release(slot) }
    }

    private func slot(of scan: OpaquePointer) -> UnsafeMutablePointer<CSlots_slot>? {
        let owner = UnsafeMutableRawPointer(scan)
        let start = Int(bitPattern: scan) >> 6 & (Self.capacity - 1)
        for step in 0..<Self.capacity {
            let slot = slots + ((start + step) & (Self.capacity - 1))
            if CSlots_owner(slot) == owner { return slot }
        }
        return nil
    }
}
