import Glibc
import Platform
import ScanProtocol
import ScanTransport

/// Whole messages over one connection, waiting with a deadline. One thread at a time.
final class PacketChannel {
    enum Failure: Error {
        case link(PacketLink.Failure)
        case timedOut
        case system(SystemError)
    }

    private let link: PacketLink

    init(_ socket: Descriptor) {
        link = PacketLink(socket, limit: WireLimits.reply)
    }

    /// Sends a message, with a descriptor if there is one.
    func send(_ message: WireMessage, descriptor: Descriptor? = nil, deadline: UInt64) throws(Failure) {
        link.enqueue(message, descriptor: descriptor)
        while true {
            do throws(PacketLink.Failure) {
                if try link.flush() { return }
            } catch {
                throw .link(error)
            }
            try wait(for: POLLOUT, until: deadline)
        }
    }

    /// Receives the next message, with the descriptor that came with it.
    func receive(deadline: UInt64) throws(Failure) -> PacketLink.Incoming {
        while true {
            do throws(PacketLink.Failure) {
                if let incoming = try link.receive() { return incoming }
            } catch {
                throw .link(error)
            }
            try wait(for: POLLIN, until: deadline)
        }
    }

    private func wait(for event: Int32, until deadline: UInt64) throws(Failure) {
        let now = Clock.now
        guard now < deadline else { throw .timedOut }
        var entry = pollfd(fd: link.socket.raw, events: Int16(event), revents: 0)
        let milliseconds = Int32(min(60_000, (deadline - now) / 1_000_000 + 1))
        if poll(&entry, 1, milliseconds) < 0 && errno != EINTR { throw .system(SystemError("poll")) }
    }
}

extension PacketChannel.Failure {
    func clientError(_ path: String) -> ScanClientError {
        switch self {
        case .timedOut: ScanClientError(.unavailable, "\(path): the daemon did not answer in time")
        case .system(let error): ScanClientError(error, path: path)
        case .link(.wire(let error)): ScanClientError(error)
        case .link(let failure): ScanClientError(.unavailable, "\(path): \(failure)")
        }
    }
}
