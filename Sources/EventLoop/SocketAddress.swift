package import CLinux
import Glibc

/// The address of one end of a connection.
package struct SocketAddress: Sendable, CustomStringConvertible {
    /// What the system calls take.
    package let raw: CLinux_address

    package init(_ raw: CLinux_address) {
        self.raw = raw
    }

    /// A numeric IPv4 or IPv6 address, with or without brackets and zone; nil when the text is none.
    package init?(numeric text: String, port: UInt16) {
        var bytes = Array(text.utf8)
        if bytes.first == UInt8(ascii: "["), bytes.last == UInt8(ascii: "]") {
            bytes = Array(bytes.dropFirst().dropLast())
        }
        guard !bytes.isEmpty, !bytes.contains(0) else { return nil }
        var raw = CLinux_address()
        let result = (bytes + [0]).withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { CLinux_address_parse($0.baseAddress, port, &raw) }
        }
        guard result == 0 else { return nil }
        self.raw = raw
    }

    /// A Unix socket's path; nil when it is empty or longer than 107 bytes. A leading "@" names an abstract socket.
    package init?(path: String) {
        var bytes = Array(path.utf8)
        guard !bytes.isEmpty, bytes.count < 108, !bytes.contains(0) else { return nil }
        if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
        var raw = CLinux_address()
        raw.family = AF_UNIX
        raw.path_length = UInt16(bytes.count)
        withUnsafeMutableBytes(of: &raw.path) { $0.copyBytes(from: bytes) }
        self.raw = raw
    }

    /// Whether it is a Unix socket.
    package var isLocal: Bool { raw.family == AF_UNIX }
    package var isIPv4: Bool { raw.family == AF_INET }
    package var isIPv6: Bool { raw.family == AF_INET6 }

    /// The port in host byte order; 0 for Unix sockets.
    package var port: UInt16 { raw.port }

    /// 4 or 16 bytes in network order; an IPv4 address mapped into IPv6 gives its 4 bytes. Empty for Unix sockets.
    package var octets: [UInt8] {
        let all = withUnsafeBytes(of: raw.octets) { [UInt8]($0) }
        if isIPv4 { return Array(all.prefix(4)) }
        guard isIPv6 else { return [] }
        let isMapped = all.prefix(10).allSatisfy { $0 == 0 } && all[10] == 0xFF && all[11] == 0xFF
        return isMapped ? Array(all.suffix(4)) : all
    }

    /// The address without its port ("192.0.2.1", "2001:db8::1"), or the path ("@" for a leading NUL).
    package var host: String {
        if isLocal {
            var path = withUnsafeBytes(of: raw.path) { Array($0.prefix(Int(raw.path_length))) }
            if path.first == 0 { path[0] = UInt8(ascii: "@") }
            return String(decoding: path, as: UTF8.self)
        }
        var shown = raw
        let bytes = octets
        if isIPv6, bytes.count == 4 {
            shown = CLinux_address()
            shown.family = AF_INET
            withUnsafeMutableBytes(of: &shown.octets) { $0.copyBytes(from: bytes) }
        }
        var text = [UInt8](repeating: 0, count: 80)
        let count = text.withUnsafeMutableBytes { buffer in
            CLinux_address_format(&shown, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), UInt32(buffer.count))
        }
        return count > 0 ? String(decoding: text.prefix(Int(count)), as: UTF8.self) : "unknown"
    }

    /// "192.0.2.1:25", "[2001:db8::1]:25", or the path.
    package var description: String {
        if isLocal { return host }
        return host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

extension SocketAddress: Hashable {
    package static func == (a: SocketAddress, b: SocketAddress) -> Bool {
        a.raw.family == b.raw.family && a.port == b.port && a.raw.scope == b.raw.scope && a.octets == b.octets
            && (!a.isLocal || a.host == b.host)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(raw.family)
        hasher.combine(port)
        hasher.combine(isLocal ? Array(host.utf8) : octets)
    }
}
