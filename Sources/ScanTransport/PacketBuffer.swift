import ScanProtocol

/// Room for one packet while it is received: nothing is kept in it. One thread at a time.
package final class PacketBuffer {
    private var allocated: UnsafeMutableRawBufferPointer?

    package init() {}

    deinit {
        allocated?.deallocate()
    }

    /// Made at the first use.
    var memory: UnsafeMutableRawBufferPointer {
        if let allocated { return allocated }
        let fresh = UnsafeMutableRawBufferPointer.allocate(byteCount: WireLimits.packet, alignment: 16)
        allocated = fresh
        return fresh
    }
}
