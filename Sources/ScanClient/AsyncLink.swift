import EventLoop
import Glibc
import Platform
import ScanProtocol
import ScanTransport

/// One connection whose requests are under way at the same time, on a reactor.
///
/// `@unchecked Sendable`: confined to the reactor's thread, like everything that waits there.
final class AsyncLink: @unchecked Sendable {
    enum Event: Sendable {
        case message(PacketLink.Incoming)
        /// The connection ended before an answer came.
        case lost
    }

    private let reactor: Reactor
    private let link: PacketLink
    /// A second number for the same socket, so that a task can wait for room while another waits for input.
    private let outlet: Descriptor
    private var pending: [UInt32: Completion<Event>] = [:]
    private var nextRequest: UInt32 = 1
    private var isWriting = false
    private(set) var isOpen = true
    /// Requests under way.
    var load: Int { pending.count }
    /// Takes messages that end no request (ASK); true when it took one.
    private let intermediate: @Sendable (WireMessage, AsyncLink) -> Bool

    init(
        _ reactor: Reactor, _ socket: Descriptor,
        intermediate: @escaping @Sendable (WireMessage, AsyncLink) -> Bool = { _, _ in false }
    ) throws(SystemError) {
        self.reactor = reactor
        link = PacketLink(socket, limit: WireLimits.reply)
        outlet = try socket.duplicate()
        self.intermediate = intermediate
        reactor.spawn("scan client input") { await self.read() }
    }

    /// Sends a request and awaits its answer.
    ///
    /// - Parameter isScan: tell the other side when the answer is not wanted any more.
    func request(
        _ make: (UInt32) -> WireMessage, descriptor: Descriptor? = nil, isScan: Bool = false, deadline: Deadline
    ) async throws(StreamError) -> (id: UInt32, event: Event) {
        let id = nextRequest
        nextRequest = nextRequest == .max ? 1 : nextRequest + 1
        guard isOpen else { return (id, .lost) }
        let completion = Completion<Event>(reactor)
        pending[id] = completion
        defer { pending[id] = nil }
        send(make(id), descriptor: descriptor)
        do throws(StreamError) {
            return (id, try await completion.value(deadline: deadline))
        } catch {
            // The answer would come to nobody.
            if isScan { send(ScanRequest.cancel.message(request: id)) }
            throw error
        }
    }

    /// Sends a message that has no answer of its own.
    func send(_ message: WireMessage, descriptor: Descriptor? = nil) {
        guard isOpen else { return }
        link.enqueue(message, descriptor: descriptor)
        flush()
    }

    /// Ends the connection; requests under way are lost.
    func close() {
        guard isOpen else { return }
        isOpen = false
        // Wakes the task that waits for input.
        shutdown(link.socket.raw, Int32(SHUT_RDWR))
        let held = pending.values
        pending = [:]
        for completion in held { completion.fulfil(.lost) }
    }

    private func flush() {
        do throws(PacketLink.Failure) {
            if try link.flush() || isWriting { return }
        } catch {
            return close()
        }
        isWriting = true
        reactor.spawn("scan client output") { await self.write() }
    }

    private func write() async {
        defer { isWriting = false }
        while isOpen {
            do {
                try await reactor.writable(outlet.raw, deadline: .never)
                if try link.flush() { return }
            } catch {
                return close()
            }
        }
    }

    private func read() async {
        let input: InputWatch
        do throws(StreamError) { input = try reactor.watchInput(link.socket.raw) } catch { return close() }
        defer { input.close() }
        while isOpen {
            do throws(PacketLink.Failure) {
                while let incoming = try link.receive() {
                    deliver(incoming)
                    // Nothing is owed any more: an end that came with it shows at the next request.
                    if pending.isEmpty { break }
                }
            } catch {
                return close()
            }
            do throws(StreamError) {
                try await input.wait(deadline: .never, interruptible: pending.isEmpty)
            } catch {
                // A stopping reactor waits for requests under way, not for an idle connection.
                if case .stopping = error, !pending.isEmpty { continue }
                return close()
            }
        }
    }

    private func deliver(_ incoming: PacketLink.Incoming) {
        if intermediate(incoming.message, self) { return }
        pending.removeValue(forKey: incoming.message.request)?.fulfil(.message(incoming))
    }
}
