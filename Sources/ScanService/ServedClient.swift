import Platform
import ScanProtocol
import ScanTransport

/// One client of a scanning process: its connection and its requests under way. Guarded by the server's lock.
final class ServedClient {
    /// Replies that may wait before no more requests are read from it.
    private static let outputLimit = 1 << 20

    let number: Int
    let link: PacketLink
    let isTrusted: Bool
    /// Whose requests these are; nil = one of our own agents.
    let user: UInt32?
    /// By the client's request id.
    var jobs: [UInt32: ScanJob] = [:]
    var lastActivity = Clock.now
    /// What its connection is waited for; nil while it has reported something.
    var armed: ReadySet.Interest?

    /// - Parameter buffer: where all clients' packets are received.
    init(number: Int, socket: Descriptor, isTrusted: Bool, user: UInt32, buffer: PacketBuffer) {
        self.number = number
        link = PacketLink(socket, limit: WireLimits.request, buffer: buffer)
        self.isTrusted = isTrusted
        self.user = isTrusted ? nil : user
    }

    /// Whether it has nothing under way and nothing left to be sent.
    var isIdle: Bool { jobs.isEmpty && !link.wantsToWrite }

    /// Whether its next request may be read.
    var takesInput: Bool { link.waitingBytes < ServedClient.outputLimit }
}
