import CLinux
import EventLoop
package import Platform

/// Listening sockets of an agent that was started without any.
package enum ListeningSockets {
    /// Opens one at each address of a host, the value of `listen_addr`.
    package static func open(host: String, port: UInt16) throws(AgentError) -> [Descriptor] {
        var addresses = [CLinux_address](repeating: CLinux_address(), count: 16)
        let count = CLinux_resolve(host, port, &addresses, 16)
        guard count > 0 else { throw AgentError("listen_addr = \"\(host)\": no such host") }
        var sockets: [Descriptor] = []
        var failure: AgentError?
        for address in addresses.prefix(Int(count)).map(SocketAddress.init) {
            do throws(StreamError) { sockets.append(try Listener.open(address)) } catch {
                failure = AgentError("cannot listen on \(address): \(error)")
            }
        }
        // "localhost" also names ::1, which some machines do not have.
        if sockets.isEmpty, let failure { throw failure }
        return sockets
    }

    /// Opens one at every address of the machine.
    package static func openEverywhere(port: UInt16) throws(AgentError) -> [Descriptor] {
        // One socket takes both families; a machine without IPv6 has the other.
        for everywhere in ["::", "0.0.0.0"] {
            guard let address = SocketAddress(numeric: everywhere, port: port) else { continue }
            if let socket = try? Listener.open(address) { return [socket] }
        }
        throw AgentError("cannot listen on port \(port): is it in use?")
    }
}
