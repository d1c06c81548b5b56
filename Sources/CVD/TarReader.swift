package import Bytes

/// Takes the members of a container one after another, in pieces.
package protocol CVDMemberSink {
    /// A member begins.
    mutating func begin(_ name: String, size: Int) throws(CVDError)
    /// The next bytes of it, valid during the call.
    mutating func append(_ bytes: ByteView) throws(CVDError)
    /// It is complete.
    mutating func end() throws(CVDError)
}

/// Reads the archive inside a container as it comes: plain files in one folder, nothing else.
struct TarReader {
    private static let block = 512
    /// Far above what containers have; the total keeps a bomb from filling a disk.
    private static let memberLimit = 100_000
    private static let totalLimit = 16 << 30

    private var head: [UInt8] = []
    /// Bytes of the member at hand that are still to come, and of what fills its last block.
    private var left = 0
    private var padding = 0
    private var isInside = false
    private var names: Set<String> = []
    private var total = 0
    /// The block that ends the archive was seen: what follows does not count.
    private(set) var isDone = false

    /// Whether the archive may end here.
    var isBetweenMembers: Bool { !isInside && padding == 0 && head.isEmpty }

    /// Reads on.
    mutating func feed(_ bytes: ByteView, _ sink: inout some CVDMemberSink) throws(CVDError) {
        var at = 0
        while at < bytes.count, !isDone {
            if isInside {
                let part = bytes.slice(at, at + left)
                try sink.append(part)
                at += part.count
                left -= part.count
                if left == 0 {
                    isInside = false
                    try sink.end()
                }
            } else if padding > 0 {
                let skipped = min(padding, bytes.count - at)
                padding -= skipped
                at += skipped
            } else {
                let part = bytes.slice(at, at + Self.block - head.count)
                head.append(contentsOf: part.buffer)
                at += part.count
                if head.count == Self.block { try begin(&sink) }
            }
        }
    }

    private mutating func begin(_ sink: inout some CVDMemberSink) throws(CVDError) {
        let header = head
        head.removeAll(keepingCapacity: true)
        if header[0] == 0 {
            isDone = true
            return
        }
        let (name, size) = try header.withUnsafeBufferPointer { buffer throws(CVDError) in
            try Self.read(ByteView(buffer))
        }
        guard names.insert(name).inserted else { throw CVDError(.malformed, "it has two members \(name)") }
        guard names.count <= Self.memberLimit else { throw CVDError(.limit, "it has too many members") }
        total += size
        guard total <= Self.totalLimit else { throw CVDError(.limit, "its members are larger than 16 GiB") }
        left = size
        padding = (Self.block - size % Self.block) % Self.block
        isInside = size > 0
        try sink.begin(name, size: size)
        if size == 0 { try sink.end() }
    }

    /// Name and size of a header block.
    private static func read(_ header: ByteView) throws(CVDError) -> (name: String, size: Int) {
        let type = header[156]
        guard type == 0 || type == UInt8(ascii: "0") else {
            throw CVDError(.malformed, "a member of it is no plain file")
        }
        let field = header.prefix(100)
        let name = field.prefix(field.firstIndex(of: 0) ?? field.count)
        for byte in name.buffer where byte <= 0x20 || byte > 0x7e || byte == UInt8(ascii: "/") {
            throw CVDError(.malformed, "the name of a member has a character that is not allowed")
        }
        guard name[0] != UInt8(ascii: ".") else { throw CVDError(.malformed, "the name of a member begins with a dot") }
        var size = 0
        var digits = 0
        for byte in header.slice(124, 136).buffer {
            if byte == 0x20 && digits == 0 { continue }
            guard byte &- 0x30 < 8 else { break }
            size = size << 3 | Int(byte & 7)
            digits += 1
        }
        guard digits > 0 else { throw CVDError(.malformed, "the size of a member is no number") }
        return (String(decoding: name.buffer, as: UTF8.self), size)
    }
}
