import AgentKit
import CLinux
import Configuration
import EventLoop
import Glibc
import Platform

/// Addresses as texts and as sockets.
enum Listening {
    /// Listening sockets at the addresses of a host; "" = everywhere.
    static func open(host: String, port: UInt16) throws(AgentError) -> [Descriptor] {
        guard !host.isEmpty else {
            // One socket takes both families; a machine without IPv6 has the other.
            for everywhere in ["::", "0.0.0.0"] {
                guard let address = SocketAddress(numeric: everywhere, port: port) else { continue }
                if let socket = try? Listener.open(address) { return [socket] }
            }
            throw AgentError("cannot listen on port \(port): is it in use?")
        }
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

    /// "192.0.2.1" or "2001:db8::1".
    static func text(_ address: IPAddress) -> String {
        var raw = CLinux_address()
        let bits = withUnsafeBytes(of: (address.high.bigEndian, address.low.bigEndian)) { [UInt8]($0) }
        raw.family = address.isIPv4 ? AF_INET : AF_INET6
        withUnsafeMutableBytes(of: &raw.octets) { $0.copyBytes(from: address.isIPv4 ? bits.suffix(4) : bits[...]) }
        return SocketAddress(raw).host
    }
}
