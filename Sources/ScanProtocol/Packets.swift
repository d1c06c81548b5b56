/// One message, whole: what it is, which request it belongs to, and its fields still encoded.
package struct WireMessage: Sendable, Equatable {
    package var type: UInt16
    /// Chosen by the client, unique among its requests under way; 0 where there is no request.
    package var request: UInt32
    package var body: [UInt8]

    package init(type: UInt16, request: UInt32 = 0, body: [UInt8] = []) {
        self.type = type
        self.request = request
        self.body = body
    }

    /// The packets that carry it, in order, each at most `WireLimits.packet` bytes. A descriptor travels
    /// with the first. No packet of another message may come between them.
    package var packets: [[UInt8]] {
        let room = WireLimits.packet - WireLimits.header
        var result: [[UInt8]] = []
        var from = 0
        repeat {
            let to = min(from + room, body.count)
            var writer = WireWriter()
            writer.reserve(WireLimits.header + to - from)
            writer.write(type)
            writer.write(to < body.count ? PacketAssembler.more : UInt16(0))
            writer.write(request)
            writer.write(raw: body[from..<to])
            result.append(writer.bytes)
            from = to
        } while from < body.count
        return result
    }
}

/// Makes whole messages of packets.
package struct PacketAssembler {
    /// Flag: the message goes on in the next packet.
    package static let more: UInt16 = 1

    private let limit: Int
    private var partial: WireMessage?

    /// - Parameter limit: the longest body that is accepted, in bytes.
    package init(limit: Int) {
        self.limit = limit
    }

    /// Whether the next packet must continue a message.
    package var isInside: Bool { partial != nil }

    /// Takes one packet.
    /// - Returns: the message that it completes, if it does.
    /// - Throws: `WireError`; the connection is then unusable.
    package mutating func add(_ packet: some Collection<UInt8>) throws(WireError) -> WireMessage? {
        let bytes = Array(packet)
        var result: Result<WireMessage?, WireError> = .success(nil)
        bytes.withUnsafeBytes { buffer in
            do throws(WireError) { result = .success(try add(buffer)) } catch { result = .failure(error) }
        }
        return try result.get()
    }

    /// Takes one packet, whose bytes are copied once.
    package mutating func add(_ bytes: UnsafeRawBufferPointer) throws(WireError) -> WireMessage? {
        guard bytes.count <= WireLimits.packet else { throw WireError(.tooLong, "packet") }
        guard bytes.count >= WireLimits.header else { throw WireError(.truncated, "packet header") }
        let type = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt16.self))
        let flags = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        let request = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        guard flags & ~PacketAssembler.more == 0 else { throw WireError(.badValue, "packet flags") }

        // Taken out, so that what has come so far is not copied for each packet.
        var message = partial.take() ?? WireMessage(type: type, request: request)
        guard message.type == type, message.request == request else {
            throw WireError(.outOfOrder, "packet of another message")
        }
        guard message.body.count + bytes.count - WireLimits.header <= limit else {
            throw WireError(.tooLong, "message")
        }
        message.body.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[WireLimits.header...]))
        guard flags & PacketAssembler.more == 0 else {
            // An endless row of empty fragments would cost the receiver time for nothing.
            guard bytes.count == WireLimits.packet else {
                throw WireError(.badValue, "short packet flagged as continued")
            }
            partial = message
            return nil
        }
        return message
    }
}
