package import Bytes

/// Writes a `.cld`: the header that `.info` states, and an archive of the members, not packed.
package enum ContainerWriter {
    /// - Parameters:
    ///   - members: names and contents; COPYING and NAME.info among them.
    ///   - name: of the database, e.g. "daily".
    package static func write(
        _ members: [(name: String, bytes: ByteView)], name: String, _ sink: (ByteView) throws(CVDError) -> Void
    ) throws(CVDError) {
        // An archive that is not packed is recognised by its first member.
        let first = ["COPYING", "\(name).info", "\(name).cfg"]
        let ordered =
            first.compactMap { wanted in members.first { $0.name == wanted } }
            + members.filter { !first.contains($0.name) }.sorted { $0.name < $1.name }
        guard ordered.count >= 2, ordered[0].name == first[0], ordered[1].name == first[1] else {
            throw CVDError(.malformed, "a container needs \(first[0]) and \(first[1])")
        }
        let information = ordered[1].bytes
        var header = information.prefix(information.firstIndex(of: 0x0a) ?? information.count).array
        guard header.count <= CVDHeader.size else { throw CVDError(.malformed, "the header is too long") }
        header += [UInt8](repeating: 0x20, count: CVDHeader.size - header.count)
        try put(header, sink)
        for member in ordered {
            try put(try archiveHeader(member.name, member.bytes.count), sink)
            try sink(member.bytes)
            let padding = (512 - member.bytes.count % 512) % 512
            if padding > 0 { try put([UInt8](repeating: 0, count: padding), sink) }
        }
        try put([UInt8](repeating: 0, count: 1024), sink)
    }

    private static func put(
        _ bytes: [UInt8], _ sink: (ByteView) throws(CVDError) -> Void
    ) throws(CVDError) {
        try bytes.withUnsafeBufferPointer { buffer throws(CVDError) in try sink(ByteView(buffer)) }
    }

    /// A header block of POSIX.1-1988 (ustar).
    private static func archiveHeader(_ name: String, _ size: Int) throws(CVDError) -> [UInt8] {
        let name = Array(name.utf8)
        guard name.count <= 99, size < 1 << 33 else { throw CVDError(.limit, "a member is too large for an archive") }
        var block = [UInt8](repeating: 0, count: 512)
        func set(_ at: Int, _ bytes: some Sequence<UInt8>) {
            for (index, byte) in bytes.enumerated() { block[at + index] = byte }
        }
        func octal(_ value: Int, _ digits: Int) -> [UInt8] {
            let text = Array(String(value, radix: 8).utf8)
            return [UInt8](repeating: 0x30, count: digits - text.count) + text
        }
        set(0, name)
        set(100, octal(0o644, 7))
        set(108, octal(0, 7))
        set(116, octal(0, 7))
        set(124, octal(size, 11))
        set(136, octal(0, 11))
        set(148, [UInt8](repeating: 0x20, count: 8))
        block[156] = UInt8(ascii: "0")
        set(257, Array("ustar\u{0}00".utf8))
        let sum = block.reduce(0) { $0 + Int($1) }
        set(148, octal(sum, 6) + [0, 0x20])
        return block
    }
}
