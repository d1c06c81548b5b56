package import Bytes
import CLinux
import Glibc
import Platform

extension Stream {
    /// Input that has come and is not consumed, in place: valid until the next await on this stream.
    package var input: ByteView { buffer.view }

    /// Drops bytes from the front of `input`; the others stay where they are.
    package func consume(_ count: Int) {
        reactor.preconditionOnLoop()
        buffer.consume(count)
    }

    /// Waits until `input` has grown. Sends what is written first; does not wait for that, unless the peer
    /// takes none of it and more than `outputLimit` has piled up.
    ///
    /// - Parameters:
    ///   - deadline: of the whole protocol state, not of this one call.
    ///   - interruptible: whether a stopping reactor ends the wait with `.stopping`: for an idle connection.
    /// - Returns: false when the peer has ended its side.
    /// - Throws: `.timedOut`, `.overflow`, `.reset`, `.closed`, `.cancelled`, `.stopping`, `.security`, `.system`.
    package func fill(deadline: Deadline, interruptible: Bool = false) async throws(StreamError) -> Bool {
        let broken = try pushOrExplain()
        if output.count > outputLimit { try await flush(deadline: deadline) }
        guard buffer.count < inputLimit else { throw .overflow }
        if deadline.hasPassed { throw .timedOut }
        await breathe()
        while true {
            if watch.isClosed { throw .closed }
            if let filter, filter.isEnded { isEnded = true }
            if isEnded || !watch.canRead, let broken { throw broken }
            if isEnded { return false }
            if !watch.canRead {
                streak = 0
                try await watch.reading.wait(until: deadline, interruptible: interruptible).check()
                continue
            }
            switch try receive() {
            case .bytes: return true
            case .end:
                isEnded = true
                if let broken { throw broken }
                return false
            case .nothing:
                // Encrypted input that is no data (key updates) may come without end, and ask for answers.
                if output.count > outputLimit { try await flush(deadline: deadline) }
                if deadline.hasPassed { throw .timedOut }
                await breathe()
            }
        }
    }

    /// Sends what is written. A peer that takes no more may have said why before it closed: its last words are read
    /// before the returned error is reported.
    private func pushOrExplain() throws(StreamError) -> StreamError? {
        do throws(StreamError) {
            try push()
            return nil
        } catch {
            guard !watch.isClosed, output.failure != nil else { throw error }
            watch.canRead = true
            return error
        }
    }

    /// Waits until `input` holds at least so many bytes. Throws `.closed` when the stream ends before.
    package func read(atLeast count: Int, deadline: Deadline) async throws(StreamError) {
        while buffer.count < count {
            guard try await fill(deadline: deadline) else { throw .closed }
        }
    }

    /// Exactly so many bytes, consumed.
    package func read(count: Int, deadline: Deadline) async throws(StreamError) -> [UInt8] {
        try await read(atLeast: count, deadline: deadline)
        let bytes = buffer.view.prefix(count).array
        buffer.consume(count)
        return bytes
    }

    /// Appends what has come (at least one byte, at most `limit`) to an array; 0 at the end of the stream.
    package func read(
        into bytes: inout [UInt8], limit: Int = .max, deadline: Deadline
    ) async throws(StreamError) -> Int {
        while buffer.count == 0 {
            guard try await fill(deadline: deadline) else { return 0 }
        }
        let part = buffer.view.prefix(limit)
        bytes.append(contentsOf: part.buffer)
        buffer.consume(part.count)
        return part.count
    }

    /// A line with its LF, consumed; nil when the stream ends before another LF. Throws `.overflow` when no LF is
    /// among the first `limit` bytes.
    package func readLine(
        limit: Int, deadline: Deadline, interruptible: Bool = false
    ) async throws(StreamError) -> [UInt8]? {
        var searched = 0
        while true {
            let view = buffer.view.prefix(limit)
            if let end = view.firstIndex(of: 0x0A, from: searched) {
                let line = view.prefix(end + 1).array
                buffer.consume(end + 1)
                return line
            }
            searched = view.count
            guard searched < limit else { throw .overflow }
            guard try await fill(deadline: deadline, interruptible: interruptible) else { return nil }
        }
    }

    private enum Received {
        case bytes
        case nothing
        case end
    }

    /// One recv, through the filter if there is one.
    private func receive() throws(StreamError) -> Received {
        if takesDescriptors { return try receiveWithDescriptors() }
        let room = filter == nil ? buffer.reserve(4096) : reactor.scratch
        let count = CLinux_receive(watch.descriptor, room.baseAddress, UInt64(room.count))
        if count == -Int64(EAGAIN) {
            watch.canRead = false
            return .nothing
        }
        guard count >= 0 else { throw StreamError(failure: Int(count), call: "recv") }
        if count == 0 { return .end }
        // A short read has emptied the socket: the next bytes bring a new edge. Not so after the peer's end.
        if count < room.count && !watch.peerClosed { watch.canRead = false }
        guard let filter else {
            buffer.commit(Int(count))
            return .bytes
        }
        return try decode(ByteView(UnsafeRawBufferPointer(rebasing: room[..<Int(count)])), filter)
    }

    /// One recvmsg. It stops behind bytes that descriptors came with, so a short read says nothing about what is left.
    private func receiveWithDescriptors() throws(StreamError) -> Received {
        let room = buffer.reserve(4096)
        var count: Int32 = 8
        var truncated: Int32 = 0
        var list = [Int32](repeating: -1, count: Int(count))
        let length = CLinux_receive_with_descriptors(
            watch.descriptor, room.baseAddress, UInt64(room.count), &list, &count, &truncated)
        let descriptors = list.prefix(Int(count)).map { Descriptor(owning: $0) }
        if length == -Int64(EAGAIN) {
            watch.canRead = false
            return .nothing
        }
        guard length >= 0 else { throw StreamError(failure: Int(length), call: "recvmsg") }
        if length == 0 { return .end }
        let begin = received.position
        received.position += UInt64(length)
        if !descriptors.isEmpty || truncated != 0 {
            guard received.batches.count < ReceivedDescriptors.most else { throw .overflow }
            received.batches.append(
                .init(
                    place: begin..<received.position, descriptors: descriptors, isTruncated: truncated != 0))
        }
        buffer.commit(Int(length))
        return .bytes
    }

    private func decode(_ bytes: ByteView, _ filter: any StreamFilter) throws(StreamError) -> Received {
        let before = buffer.count
        var wire: [UInt8] = []
        var failure: StreamError?
        do throws(StreamError) { try filter.receive(bytes, plain: buffer, wire: &wire) } catch { failure = error }
        if !wire.isEmpty {
            output.append(&wire)
            watch.drain()
        }
        if let failure { throw failure }
        if buffer.count > before { return .bytes }
        return filter.isEnded ? .end : .nothing
    }

    /// Puts a filter between the socket and the stream, and completes its negotiation.
    ///
    /// Input that came before, in plain text, is dropped and never shown as if it had come through the filter
    /// (RFC 3207 section 4.2: the command injection of CVE-2011-0411).
    ///
    /// - Returns: the number of bytes that were dropped; a client that has not cheated gives 0.
    @discardableResult
    package func install(_ newFilter: any StreamFilter, deadline: Deadline) async throws(StreamError) -> Int {
        precondition(filter == nil, "the stream is filtered already")
        try await flush(deadline: deadline)
        let dropped = buffer.count
        buffer.consume(dropped)
        filter = newFilter
        var wire: [UInt8] = []
        try newFilter.start(wire: &wire)
        output.append(&wire)
        watch.drain()
        while !newFilter.isEstablished {
            if try await !fillDuringNegotiation(deadline: deadline) { throw .closed }
        }
        return dropped
    }

    /// Reads until the filter has moved on, also when no plain byte came of it.
    private func fillDuringNegotiation(deadline: Deadline) async throws(StreamError) -> Bool {
        if watch.isClosed { throw .closed }
        if let failure = output.failure { throw failure }
        if deadline.hasPassed { throw .timedOut }
        await breathe()
        if !watch.canRead { try await watch.reading.wait(until: deadline).check() }
        if case .end = try receive() {
            isEnded = true
            return false
        }
        return true
    }
}
