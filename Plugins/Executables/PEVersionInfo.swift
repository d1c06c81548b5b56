package import BytesE

/// A string of the version information.
package struct PEVersionString: Sendable {
    /// UTF-16, little-endian, without the terminator.
    package let key, value: ByteView
    /// Where the key begins in the file.
    package let offset: Int
}

extension PEFile {
    /// Version resources that are looked at: a file needs one.
    private static let versionLimit = 16

    /// Visits the strings of the version information (VS_VERSIONINFO of the Windows documentation).
    ///
    /// A block that is longer than the one around it ends the walk, and so does a fixed part that is missing. Strings
    /// without a value are left out.
    ///
    /// - Parameter strictly: as ClamAV: the last string must be padded like the others, or it is left out.
    package func forEachVersionString(
        _ addresses: PEAddresses, strictly: Bool = false, _ visit: (PEVersionString) -> Void
    ) {
        var count = 0
        forEachResource(addresses, type: PEResourceType.version) { resource in
            count += 1
            if let start = addresses.offset(of: resource.address), Int(resource.size) <= bytes.count - start {
                VersionBlock(bytes: bytes, start: start, end: start + Int(resource.size), isStrict: strictly)
                    .forEachString(visit)
            }
            return count < PEFile.versionLimit
        }
    }

    /// Where the strings' keys begin in the file, ascending.
    func versionStrings(_ layout: PELayout) -> [Int] {
        var places: [Int] = []
        forEachVersionString(layout.addresses, strictly: true) { places.append($0.offset) }
        places.sort()
        return places
    }
}

/// A resource with version information: blocks in blocks, each with its length, the length of its value, a type and
/// a name.
private struct VersionBlock {
    let bytes: ByteView
    let start, end: Int
    let isStrict: Bool

    /// Bytes before a block's name.
    private static let head = 6
    /// Head, "VS_VERSION_INFO" with terminator, padding, VS_FIXEDFILEINFO.
    private static let fixed = 6 + 0x20 + 2 + 0x34

    func forEachString(_ visit: (PEVersionString) -> Void) {
        let length = self.length(at: start)
        guard end - start > 4, length <= end - start, length > VersionBlock.fixed,
            bytes.load(UInt16.self, at: start + 2) == 0x34, isNamed("VS_VERSION_INFO", at: start),
            bytes.load(UInt32.self, at: start + 0x28) == 0xfeef_04bd
        else { return }
        var at = start + VersionBlock.fixed
        let stop = start + length
        var hasVariables = false
        while stop - at > VersionBlock.head {
            let size = self.length(at: at)
            guard size <= stop - at else { return }
            // The translations may stand before the strings.
            if !hasVariables, size > VersionBlock.head + 0x18, isNamed("VarFileInfo", at: at) {
                hasVariables = true
                at += size
                continue
            }
            guard size > VersionBlock.head + 0x1e, isNamed("StringFileInfo", at: at) else { return }
            return tables(at + VersionBlock.head + 0x1e, at + size, visit)
        }
    }

    /// Blocks of strings, one for each language.
    private func tables(_ from: Int, _ stop: Int, _ visit: (PEVersionString) -> Void) {
        var at = from
        while stop - at > VersionBlock.head {
            let size = length(at: at)
            // Head, eight digits, padding.
            guard size <= stop - at, size > 24, strings(at + 24, at + size, visit) else { return }
            at += size
        }
    }

    /// The strings of one language; false when a length is wrong.
    private func strings(_ from: Int, _ stop: Int, _ visit: (PEVersionString) -> Void) -> Bool {
        var at = from
        while stop - at > VersionBlock.head {
            let length = self.length(at: at)
            let padded = (length + 3) & ~3
            let size = isStrict || length > stop - at ? padded : min(padded, stop - at)
            guard size <= stop - at, size > 16 else { return false }
            defer { at += size }
            var keyEnd = VersionBlock.head
            while keyEnd + 1 < size {
                keyEnd += 2
                if bytes.load(UInt16.self, at: at + keyEnd - 2) == 0 { break }
            }
            let value = (keyEnd + 3) & ~3
            guard size - value > 2 else { continue }
            visit(
                PEVersionString(
                    key: bytes.slice(at + VersionBlock.head, at + keyEnd - 2),
                    value: withoutTerminator(bytes.slice(at + value, at + size)), offset: at + VersionBlock.head))
        }
        return true
    }

    private func length(at offset: Int) -> Int { Int(bytes.load(UInt16.self, at: offset) ?? 0) }

    /// Whether a block has this ASCII name, in UTF-16 with its terminator.
    private func isNamed(_ name: StaticString, at offset: Int) -> Bool {
        let letters = ByteView(name)
        for i in 0..<letters.count
        where bytes.load(UInt16.self, at: offset + VersionBlock.head + 2 * i) != UInt16(letters[i]) { return false }
        return bytes.load(UInt16.self, at: offset + VersionBlock.head + 2 * letters.count) == 0
    }

    private func withoutTerminator(_ text: ByteView) -> ByteView {
        var at = 0
        while at + 1 < text.count, text[at] != 0 || text[at + 1] != 0 { at += 2 }
        return text.prefix(at)
    }
}
