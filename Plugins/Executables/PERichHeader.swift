import BytesE

/// What Microsoft's linker notes between the DOS program and the PE header: which tools made how many of the objects.
package struct PERichHeader: Sendable {
    /// A tool: its product and build, and how many objects it made.
    package struct Entry: Sendable {
        package let product: UInt16
        package let build: UInt16
        package let count: UInt32
    }

    /// Place in the file, from the mark "DanS" to the key.
    package let extent: Range<Int>
    /// What the header is masked with.
    package let key: UInt32
    package let entries: [Entry]
}

extension PEFile {
    /// nil when there is none.
    package var richHeader: PERichHeader? {
        let end = min(header.offset, 4096, bytes.count)
        var at = 0x40
        // "Rich", and the key behind it.
        while at <= end - 8, bytes.load(UInt32.self, at: at) != 0x6863_6952 { at += 4 }
        guard at <= end - 8, let key = bytes.load(UInt32.self, at: at + 4) else { return nil }
        var start = at - 4
        while start >= 0x40, (bytes.load(UInt32.self, at: start) ?? 0) ^ key != 0x536e_6144 { start -= 4 }
        guard start >= 0x40 else { return nil }
        var entries: [PERichHeader.Entry] = []
        // "DanS" and three words of padding come first.
        var entry = start + 16
        while entry <= at - 8 {
            let tool = (bytes.load(UInt32.self, at: entry) ?? 0) ^ key
            let count = (bytes.load(UInt32.self, at: entry + 4) ?? 0) ^ key
            entries.append(.init(product: UInt16(tool >> 16), build: UInt16(tool & 0xffff), count: count))
            entry += 8
        }
        return PERichHeader(extent: start..<at + 8, key: key, entries: entries)
    }
}
