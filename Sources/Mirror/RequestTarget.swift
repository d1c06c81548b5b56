package import Bytes

/// What a request-target (RFC 9112 §3.2) names below the document root.
package enum RequestTarget {
    /// The file that a target without a name in its last segment means.
    package static let index = Array("update.ver".utf8)
    /// The segment that update clients put before every path: it means the root itself.
    private static let alias = Array("eset_upd".utf8)
    /// Bytes of a target.
    package static let limit = 2_048
    /// Bytes of one segment: what Linux file systems take.
    private static let segmentLimit = 255

    /// The path of the file, relative to the document root: segments with one "/" between, none of which is empty or
    /// begins with a dot. nil when the target names nothing that could be served.
    ///
    /// ".", ".." and hidden files (those being written, for example) are refused, not resolved; and so are control
    /// characters and a "/" that is percent-encoded.
    ///
    /// - Parameter target: origin-form or absolute-form, with or without a query.
    package static func path(_ target: ByteView) -> [UInt8]? {
        guard target.count <= limit, let begin = beginOfPath(target) else { return nil }
        var path: [UInt8] = []
        var segment: [UInt8] = []
        var isFirst = true
        var index = begin
        func take() -> Bool {
            guard !segment.isEmpty else { return true }
            guard segment.count <= segmentLimit, segment[0] != UInt8(ascii: ".") else { return false }
            if !(isFirst && segment == alias) {
                if !path.isEmpty { path.append(UInt8(ascii: "/")) }
                path += segment
            }
            isFirst = false
            segment.removeAll(keepingCapacity: true)
            return true
        }
        while index < target.count {
            var byte = target[index]
            index += 1
            switch byte {
            case UInt8(ascii: "/"):
                guard take() else { return nil }
                continue
            case UInt8(ascii: "?"), UInt8(ascii: "#"):
                index = target.count
                continue
            case UInt8(ascii: "%"):
                guard index + 2 <= target.count, let high = digit(target[index]), let low = digit(target[index + 1])
                else { return nil }
                byte = high << 4 | low
                index += 2
                guard byte != UInt8(ascii: "/") else { return nil }
            default: break
            }
            guard byte >= 0x20, byte != 0x7F else { return nil }
            segment.append(byte)
        }
        let namesDirectory = segment.isEmpty
        guard take() else { return nil }
        if namesDirectory || path.isEmpty {
            if !path.isEmpty { path.append(UInt8(ascii: "/")) }
            path += RequestTarget.index
        }
        return path
    }

    /// Where the path begins: after the authority of an absolute-form.
    private static func beginOfPath(_ target: ByteView) -> Int? {
        guard !target.isEmpty else { return nil }
        if target[0] == UInt8(ascii: "/") { return 0 }
        for scheme in ["http://", "https://"] as [StaticString] {
            let scheme = ByteView(scheme)
            guard target.count > scheme.count,
                (0..<scheme.count).allSatisfy({ lowercased(target[$0]) == scheme[$0] })
            else { continue }
            var index = scheme.count
            while index < target.count, target[index] != UInt8(ascii: "/"), target[index] != UInt8(ascii: "?") {
                index += 1
            }
            return index
        }
        return nil
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}

/// ASCII letters become small ones.
func lowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }
