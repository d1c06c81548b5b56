package import EventLoop

/// The connections to next hops, to tell whether a client is the agent itself.
///
/// It is, when it comes from our own end of such a connection and wanted to go where that connection goes. The end
/// alone says nothing: the kernel gives one port to several connections that differ in their target.
package struct OutgoingConnections: Sendable {
    private var targets: [SocketAddress: [SocketAddress]] = [:]

    package init() {}

    package mutating func add(from local: SocketAddress, to target: SocketAddress) {
        targets[local, default: []].append(target)
    }

    package mutating func remove(from local: SocketAddress, to target: SocketAddress) {
        guard var left = targets[local], let index = left.firstIndex(of: target) else { return }
        left.remove(at: index)
        targets[local] = left.isEmpty ? nil : left
    }

    /// - Parameters:
    ///   - peer: where the client comes from.
    ///   - wanted: where it wanted to go before it was redirected, else our own address. Seldom asked.
    package func isLoop(from peer: SocketAddress, wanted: () -> SocketAddress) -> Bool {
        guard let targets = targets[peer] else { return false }
        return targets.contains(wanted())
    }
}
