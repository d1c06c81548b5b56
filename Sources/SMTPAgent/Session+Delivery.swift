import Bytes
import EventLoop
import Mail
import SMTP

// The message on its way to the next hop. The client gets the next hop's own reply to the final dot.
extension Session {
    /// Delivers in the transaction that the envelope was relayed in, or, when the next hop has hung up during the
    /// scan, in a new one.
    func deliver(_ message: SpooledMessage, _ segments: [Segment]) async -> Reply {
        if let hop {
            do throws(HopError) {
                let reply = try await hop.command(Array("DATA\r\n".utf8), within: settings.timeouts.hopData)
                if reply.code == 354 { return await transmit(message, segments, hop) }
                if reply.isPositive {
                    // Whatever it means, what follows cannot be told apart any more.
                    log(.warning, "\(target.description): \(reply.code) in reply to DATA")
                    dropHop()
                    return .nextHopLost
                }
                guard reply.code == 421 else {
                    await hop.reset()
                    return reply
                }
                log(.info, "next hop hung up before DATA: \(reply.code) \(reply.text)")
            } catch {
                log(.info, "next hop lost before DATA: \(error)")
            }
            dropHop()
        }
        return await deliverAgain(message, segments)
    }

    /// Connects again, repeats the envelope and delivers. All recipients must be taken as before: the client was
    /// told so.
    private func deliverAgain(_ message: SpooledMessage, _ segments: [Segment]) async -> Reply {
        guard let mail = transaction.mail else { return .nextHopLost }
        do throws(HopError) {
            let hop = try await currentHop(saying: server.helo ?? [])
            if !xforward.isEmpty { hop.hasForwarded = true }
            for command in xforward.commands(offered: hop.extensions.xforward) {
                _ = try await hop.command(command, within: settings.timeouts.hopCommand)
            }
            let size = hop.extensions.has("SIZE") ? segments.reduce(UInt64(0)) { $0 + UInt64($1.count) } : nil
            var exchange = ClientTransaction(
                mail: mail, recipients: transaction.recipients, size: size, pipelining: hop.pipelines)
            hop.isInTransaction = true
            hop.write(exchange.start())
            while true {
                let step = exchange.receive(try await hop.reply(within: settings.timeouts.hopCommand))
                switch step {
                case .write(let bytes): hop.write(bytes)
                case .wait: break
                case .done:
                    // Not RSET: a server that gave one reply too many may wait for content.
                    dropHop()
                    let reply = exchange.result ?? .nextHopLost
                    // The envelope had been taken: what is refused now is for a later try to tell.
                    return reply.isTransient ? reply : .nextHopLost
                case .content:
                    guard exchange.acceptedCount == transaction.recipients.count else {
                        // Without the final dot the server keeps nothing.
                        dropHop()
                        return .nextHopLost
                    }
                    exchange.contentSent()
                    return await transmit(message, segments, hop, isAgain: true)
                }
            }
        } catch {
            log(.warning, "\(target.description): \(error)")
            dropHop()
            return .nextHopLost
        }
    }

    /// Sends the content and waits for the verdict of the next hop.
    ///
    /// - Parameter isAgain: connecting and repeating the envelope took its time.
    private func transmit(
        _ message: SpooledMessage, _ segments: [Segment], _ hop: NextHop, isAgain: Bool = false
    ) async -> Reply {
        do throws(HopError) {
            guard hop.isSilent else { throw .lost("a reply before the message") }
            var encoder = DataEncoder()
            for segment in segments {
                switch segment {
                case .bytes(let bytes):
                    var wire: [UInt8] = []
                    bytes.withUnsafeBufferPointer { encoder.encode(ByteView($0), into: &wire) }
                    try await send(wire, hop)
                case .original(let range): try await send(message, range, &encoder, hop)
                }
            }
            // Without its end the server keeps nothing of the message.
            if let reply = await refusalBeforeEnd(hop, message, isAgain: isAgain) {
                dropHop()
                return reply
            }
            guard shared.roll.mayEndMessage(number) else { throw .lost("the agent is ending") }
            defer { shared.roll.answered(number) }
            var end: [UInt8] = []
            encoder.finish(into: &end)
            hop.write(end)
            let reply = try await hop.reply(within: settings.timeouts.hopFinal)
            guard hop.stream.pendingOutput == 0 else {
                // It answered before it had the whole message, and gets no end of it: then it keeps nothing.
                log(.warning, "\(target.description): \(reply.code) in the middle of the message")
                dropHop()
                return reply.isPositive ? .nextHopLost : reply
            }
            hop.isInTransaction = false
            hop.isUsed = true
            // 3yz would be nonsense here, and must not make the client believe anything.
            return reply.code < 300 || reply.code >= 400 ? reply : .nextHopLost
        } catch {
            log(.warning, "\(target.description): \(error)")
            dropHop()
            return .nextHopLost
        }
    }

    /// Why the message must not be ended: the server refused it in the middle, or the client does not wait any more.
    private func refusalBeforeEnd(_ hop: NextHop, _ message: SpooledMessage, isAgain: Bool) async -> Reply? {
        // A short one goes out in one piece: there was no time to answer in its middle.
        if message.size > hop.stream.outputLimit, let early = await hop.earlyReply() {
            log(.warning, "\(target.description): \(early.code) in the middle of the message")
            return early.isPositive || early.code < 400 ? .nextHopLost : early
        }
        if latestEnd.hasPassed {
            log(.warning, "\(target.description): too slow; the client would send the message again")
            return .nextHopLost
        }
        return isAgain ? (await isClientGone() ? .nextHopLost : nil) : nil
    }

    private static let piece = 65_536

    private func send(
        _ message: SpooledMessage, _ range: Range<Int>, _ encoder: inout DataEncoder, _ hop: NextHop
    ) async throws(HopError) {
        var position = range.lowerBound
        while position < range.upperBound {
            let end = min(position + Self.piece, range.upperBound)
            var wire: [UInt8] = []
            wire.reserveCapacity(end - position + 1024)
            encoder.encode(message.view.slice(position, end), into: &wire)
            try await send(wire, hop)
            position = end
        }
    }

    private func send(_ wire: [UInt8], _ hop: NextHop) async throws(HopError) {
        do throws(StreamError) {
            hop.stream.write(wire)
            if hop.stream.pendingOutput > hop.stream.outputLimit {
                try await hop.stream.flush(deadline: .seconds(settings.timeouts.hopContent))
            }
        } catch {
            throw .lost(error.description)
        }
    }
}
