package import Bytes
import CLinux
import Glibc

extension Stream {
    /// Queues bytes; the next `fill`, `flush`, `send` or `close` sends them together. Never waits.
    package func write(_ bytes: [UInt8]) {
        reactor.preconditionOnLoop()
        if corked.isEmpty && bytes.count >= Self.pushThreshold {
            corked = bytes
        } else {
            corked.append(contentsOf: bytes)
        }
        pushIfLarge()
    }

    /// Queues a copy of the bytes.
    package func write(_ bytes: ByteView) {
        reactor.preconditionOnLoop()
        corked.append(contentsOf: bytes.buffer)
        pushIfLarge()
    }

    /// Queues a text.
    package func write(_ text: StaticString) { write(ByteView(text)) }

    /// Queues a text as UTF-8.
    package func write(_ text: String) {
        reactor.preconditionOnLoop()
        corked.append(contentsOf: text.utf8)
        pushIfLarge()
    }

    /// Bytes written but not taken by the kernel yet.
    package var pendingOutput: Int { corked.count + output.count }

    /// Queues bytes and waits, when more than `outputLimit` has piled up, until the peer has taken them:
    /// what a relay of large messages uses in place of `write`.
    package func send(_ bytes: ByteView, deadline: Deadline) async throws(StreamError) {
        write(bytes)
        if pendingOutput > outputLimit { try await flush(deadline: deadline) } else { await breathe() }
    }

    /// Sends everything that is written and waits until the kernel has taken it.
    package func flush(deadline: Deadline) async throws(StreamError) {
        try push()
        while !output.isEmpty {
            streak = 0
            try await watch.writing.wait(until: deadline).check()
            if let failure = output.failure { throw failure }
        }
    }

    /// Sends a range of a file without copying it through this process (when no filter is in the way), with
    /// back-pressure. The file's position does not matter and is not moved.
    ///
    /// - Throws: as `flush`; `.system(EIO, …)` when the file ends before the range.
    package func sendFile(
        _ file: Int32, offset: UInt64 = 0, count: UInt64, deadline: Deadline
    ) async throws(StreamError) {
        guard let start = Int64(exactly: offset),
            Int64(exactly: count).map({ !start.addingReportingOverflow($0).overflow }) == true
        else { throw .system(EINVAL, call: "sendfile") }
        var position = start
        var left = count
        try await flush(deadline: deadline)
        while left > 0 {
            if watch.isClosed || isFinished { throw .closed }
            if deadline.hasPassed { throw .timedOut }
            if filter == nil && !watch.canWrite {
                try await watch.writing.wait(until: deadline).check()
                continue
            }
            let moved =
                filter == nil
                ? CLinux_sendfile(watch.descriptor, file, position, min(left, 1 << 20))
                : try copy(file, position, min(left, UInt64(Self.pushThreshold)))
            if moved == -Int64(EAGAIN) {
                watch.block()
                continue
            }
            guard moved >= 0 else { throw StreamError(failure: Int(moved), call: "sendfile") }
            guard moved > 0 else { throw .system(EIO, call: "sendfile") }
            position += moved
            left -= UInt64(moved)
            if output.count > outputLimit { try await flush(deadline: deadline) } else { await breathe() }
        }
        try await flush(deadline: deadline)
    }

    /// Queues a piece of a file.
    private func copy(_ file: Int32, _ position: Int64, _ count: UInt64) throws(StreamError) -> Int64 {
        let got = CLinux_read_at(file, reactor.scratch.baseAddress, min(count, UInt64(reactor.scratch.count)), position)
        guard got > 0 else { return got }
        corked.append(contentsOf: UnsafeRawBufferPointer(rebasing: reactor.scratch[..<Int(got)]))
        try push()
        return got
    }

    /// Hands what is corked to the filter and the queue, and sends what the kernel takes at once.
    func push() throws(StreamError) {
        reactor.preconditionOnLoop()
        if watch.isClosed { throw .closed }
        if let failure = output.failure { throw failure }
        if !corked.isEmpty {
            if isFinished { throw .closed }
            if let filter {
                var wire: [UInt8] = []
                var failure: StreamError?
                corked.withUnsafeBytes { bytes in
                    do throws(StreamError) { try filter.send(ByteView(bytes), wire: &wire) } catch { failure = error }
                }
                if let failure { throw failure }
                corked.removeAll(keepingCapacity: corked.capacity <= Self.pushThreshold)
                output.append(&wire)
            } else {
                output.append(&corked)
            }
        }
        watch.drain()
        if let failure = output.failure { throw failure }
    }

    /// Large output is on its way early; an error shows at the next operation that can throw.
    private func pushIfLarge() {
        if corked.count >= Self.pushThreshold { try? push() }
    }

    private static let pushThreshold = 65_536
}
