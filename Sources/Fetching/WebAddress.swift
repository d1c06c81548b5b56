/// The parts of an address that matter here; what libcurl makes of the rest is its own business.
package struct WebAddress: Sendable, Equatable {
    package enum Scheme: String, Sendable {
        case http, https, file
    }

    package let scheme: Scheme
    /// Lower case, with the port if one is written; "" for a file.
    package let host: String
    /// From the first slash.
    package let path: String

    /// nil for anything but an absolute http, https or file address without blanks, control characters or a
    /// user name: credentials in addresses end up in logs.
    package init?(_ text: String) {
        guard text.utf8.count <= 2048, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), !text.contains("\\"),
            let mark = text.firstIndex(of: ":"), let scheme = Scheme(rawValue: text[..<mark].lowercased())
        else { return nil }
        let rest = text[text.index(after: mark)...]
        guard rest.hasPrefix("//") else { return nil }
        let place = rest.dropFirst(2)
        let slash = place.firstIndex(of: "/") ?? place.endIndex
        let host = place[..<slash]
        guard !host.contains("@"), !host.contains("?"), !host.contains("#"), host.isEmpty == (scheme == .file) else {
            return nil
        }
        self.scheme = scheme
        self.host = host.lowercased()
        path = slash == place.endIndex ? "/" : String(place[slash...])
    }

    /// An address below another one. The path is ours, or was checked: names between slashes.
    package static func join(_ base: String, _ path: String) -> String {
        var bytes = Array(base.utf8)
        while bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self) + "/" + escaped(path)
    }

    /// With %XX for every byte that is not plain in a path.
    package static func escaped(_ path: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-"),
                UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: "="):
                result.append(byte)
            default: result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
