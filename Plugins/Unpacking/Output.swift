package import BytesE
package import CModuleABI
package import ModuleKit

/// Unpacked bytes of one object in the scan's arena, growing in steps of 64 KiB that the budget allows.
package struct Output {
    private let scan: ScanContext
    private let base: UnsafeMutableRawPointer
    private var capacity: Int
    package private(set) var count = 0
    /// Most bytes the object may have, and the limit that says so.
    private let most: UInt64
    private let mostKind: UInt32
    /// Bytes that were said to come; a hint, not to be believed.
    package let expected: Int
    /// The limit that ended the unpacking, `EM_BUDGET_…`; 0 when none did.
    package private(set) var stoppedBy: UInt32 = 0

    package static let step = 65536

    /// - Parameters:
    ///   - scan: whose arena and budget are used.
    ///   - object: the container.
    ///   - expected: bytes that will come, if known; a hint, not believed.
    /// - Throws: what the host answers when it has no memory left.
    package init(_ scan: ScanContext, in object: UnsafePointer<em_object>, expected: Int = Output.step)
        throws(ModuleError)
    {
        self.scan = scan
        self.expected = expected
        var most = scan.left(EM_BUDGET_SIZE, for: object)
        var kind = EM_BUDGET_SIZE
        let largest = scan.number("av_scan_max_arch_size", otherwise: 0)
        if largest > 0 { most = min(most, UInt64(largest)) }
        let total = scan.left(EM_BUDGET_TOTAL, for: object)
        if total < most {
            most = total
            kind = EM_BUDGET_TOTAL
        }
        self.most = most
        mostKind = kind
        // Decoders want at least 64 bytes of room.
        capacity = max(256, min(expected, Self.step))
        base = try scan.allocate(capacity)
    }

    /// Whether the scan may go on.
    package func check() throws(ModuleError) { try scan.check() }

    /// Room for at least `wanted` (up to 64) more bytes, or nil when a limit is met: `stoppedBy` tells which.
    package mutating func room(_ wanted: Int = 64) throws(ModuleError) -> UnsafeMutableBufferPointer<UInt8>? {
        if UInt64(count) >= most {
            stoppedBy = mostKind
            return nil
        }
        if capacity - count < wanted {
            try scan.check()
            do throws(ModuleError) {
                try scan.resize(base, to: capacity + Self.step)
            } catch {
                guard error.status == EM_E_MEMORY else { throw error }
                stoppedBy = EM_BUDGET_MEMORY
                return nil
            }
            capacity += Self.step
        }
        return UnsafeMutableBufferPointer(
            start: base.assumingMemoryBound(to: UInt8.self) + count, count: capacity - count)
    }

    /// Room for all of so many more bytes, nil when a limit or the memory does not allow them; that ends nothing.
    package mutating func reserve(_ wanted: Int) throws(ModuleError) -> UnsafeMutableBufferPointer<UInt8>? {
        guard wanted >= 0, UInt64(count) + UInt64(wanted) <= most else { return nil }
        if capacity - count < wanted {
            do throws(ModuleError) {
                try scan.resize(base, to: count + wanted)
            } catch {
                guard error.status == EM_E_MEMORY else { throw error }
                return nil
            }
            capacity = count + wanted
        }
        return UnsafeMutableBufferPointer(
            start: base.assumingMemoryBound(to: UInt8.self) + count, count: capacity - count)
    }

    /// So many bytes of the room were filled.
    package mutating func advance(_ amount: Int) {
        count += amount
        if UInt64(count) > most {
            count = Int(clamping: most)
            stoppedBy = mostKind
        }
    }

    /// A limit that was met elsewhere ends the unpacking: EM_BUDGET_….
    package mutating func stop(by kind: UInt32) { stoppedBy = kind }

    /// Adds a copy of some bytes; false when a limit is met.
    package mutating func append(_ bytes: ByteView) throws(ModuleError) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            guard let room = try room(), let to = room.baseAddress, let from = rest.buffer.baseAddress else {
                return false
            }
            let amount = min(room.count, rest.count)
            UnsafeMutableRawPointer(to).copyMemory(from: from, byteCount: amount)
            advance(amount)
            rest = rest.dropFirst(amount)
        }
        return stoppedBy == 0
    }

    /// Adds bytes that we made; false when a limit is met.
    package mutating func append(_ bytes: [UInt8]) throws(ModuleError) -> Bool {
        var isKept = true
        var failure: ModuleError?
        bytes.withUnsafeBufferPointer { buffer in
            do throws(ModuleError) { isKept = try append(ByteView(buffer)) } catch { failure = error }
        }
        if let failure { throw failure }
        return isKept
    }

    /// Adds one byte so many times; false when a limit is met.
    package mutating func append(_ byte: UInt8, count: Int = 1) throws(ModuleError) -> Bool {
        var rest = count
        while rest > 0 {
            guard let room = try room() else { return false }
            let amount = min(room.count, rest)
            for index in 0..<amount { room[index] = byte }
            advance(amount)
            rest -= amount
        }
        return stoppedBy == 0
    }

    /// Adds bytes that came out before, beginning so many back; they may run into themselves. False when a limit is met.
    ///
    /// - Parameter distance: 1…`count`.
    package mutating func repeatBytes(from distance: Int, count amount: Int) throws(ModuleError) -> Bool {
        var rest = amount
        while rest > 0 {
            guard let room = try room(), let to = room.baseAddress else { return false }
            let step = min(room.count, rest)
            let from = UnsafePointer(to) - distance
            for index in 0..<step { to[index] = from[index] }
            advance(step)
            rest -= step
        }
        return stoppedBy == 0
    }

    /// Puts other bytes in place of some that came out.
    package mutating func replace(at place: Int, with bytes: [UInt8]) {
        guard place >= 0, place <= count - bytes.count else { return }
        for index in bytes.indices { base.storeBytes(of: bytes[index], toByteOffset: place + index, as: UInt8.self) }
    }

    /// What was unpacked so far; valid until more is.
    package var bytes: ByteView {
        ByteView(base: UnsafePointer(base.assumingMemoryBound(to: UInt8.self)), count: count)
    }

    /// What was unpacked; memory that is not needed goes back.
    package mutating func finish() throws(ModuleError) -> ByteView {
        let needed = max(1, count)
        if needed < capacity {
            try scan.resize(base, to: needed)
            capacity = needed
        }
        return ByteView(base: UnsafePointer(base.assumingMemoryBound(to: UInt8.self)), count: count)
    }
}
