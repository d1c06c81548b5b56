import CLinux
import Configuration
import EventLoop
import Glibc

/// Addresses as texts.
enum AddressText {
    /// "192.0.2.1" or "2001:db8::1".
    static func of(_ address: IPAddress) -> String {
        var raw = CLinux_address()
        let bits = withUnsafeBytes(of: (address.high.bigEndian, address.low.bigEndian)) { [UInt8]($0) }
        raw.family = address.isIPv4 ? AF_INET : AF_INET6
        withUnsafeMutableBytes(of: &raw.octets) { $0.copyBytes(from: address.isIPv4 ? bits.suffix(4) : bits[...]) }
        return SocketAddress(raw).host
    }
}
