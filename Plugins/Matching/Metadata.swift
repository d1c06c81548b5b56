package import BytesE
import CCrypto
import CModuleABI
import DatabaseSections
import Lending
import Regex

/// What a database knows about objects besides their bytes: file types, entries of containers, links in mail.
struct MetadataSet {
    let types, containers, links, hashes: Section
    let text: ByteView

    init(_ table: SectionTable) throws(DatabaseError) {
        types = try table.section(EM_SECTION_FILE_TYPES, element: MemoryLayout<em_file_type>.stride)
        containers = try table.section(EM_SECTION_CONTAINERS, element: MemoryLayout<em_container_signature>.stride)
        links = try table.section(EM_SECTION_LINKS, element: MemoryLayout<em_link_rule>.stride)
        hashes = try table.section(EM_SECTION_LINK_HASHES, element: MemoryLayout<em_link_hash>.stride)
        text = try table.section(EM_SECTION_METADATA_TEXT, element: 1).bytes
    }

    func text(_ offset: UInt32, _ length: UInt32) -> ByteView { text.slice(Int(offset), Int(offset) + Int(length)) }
}

/// What a container says about an object in it.
package struct EntryFacts {
    /// `FileType.code` of the container.
    package var container: UInt32
    /// Bytes.
    package var containerSize, packedSize, statedSize: UInt64
    /// From 1.
    package var position: UInt32
    package var crc32: UInt32?
    package var isEncrypted: Bool
    package var name: ByteView

    package init(
        container: UInt32, containerSize: UInt64, packedSize: UInt64, statedSize: UInt64, position: UInt32,
        crc32: UInt32?, isEncrypted: Bool, name: ByteView
    ) {
        self.container = container
        self.containerSize = containerSize
        self.packedSize = packedSize
        self.statedSize = statedSize
        self.position = position
        self.crc32 = crc32
        self.isEncrypted = isEncrypted
        self.name = name
    }
}

// Numbers of regular expressions in the cache, which they share with those of rules.
private let typeNumbers: UInt32 = 0x2000_0000
private let containerNumbers: UInt32 = 0x4000_0000
private let linkNumbers: UInt32 = 0x6000_0000

extension Database {
    /// Whether signatures look at what containers say.
    package var matchesEntries: Bool { metadata.containers.count > 0 }

    /// Whether it has rules or hashes for links.
    package var judgesLinks: Bool { metadata.links.count > 0 || metadata.hashes.count > 0 }

    /// Calls `report` with each signature (its number) that an object matches by what its container says.
    ///
    /// - Returns: false when a regular expression took too much work, or cannot be compiled.
    package func matchEntry(_ entry: EntryFacts, report: (Int) -> Void) -> Bool {
        var isWhole = true
        for index in 0..<metadata.containers.count {
            guard let signature = metadata.containers.element(index, as: em_container_signature.self) else { break }
            guard signature.container == 0 || signature.container == entry.container,
                signature.flags & EM_CONTAINER_ENCRYPTED == 0 || entry.isEncrypted,
                signature.flags & EM_CONTAINER_PLAIN == 0 || !entry.isEncrypted,
                signature.flags & EM_CONTAINER_CRC32 == 0 || entry.crc32 == signature.crc32,
                fits(entry.containerSize, signature.container_size), fits(entry.packedSize, signature.packed_size),
                fits(entry.statedSize, signature.stated_size),
                signature.position.0 <= entry.position, entry.position <= signature.position.1
            else { continue }
            if signature.name_length > 0 {
                let regex = metadata.text(signature.name, signature.name_length)
                switch search(containerNumbers + UInt32(index), regex, in: entry.name) {
                case .match: break
                case .none: continue
                case .limit:
                    isWhole = false
                    continue
                }
            }
            report(Int(signature.signature))
        }
        return isWhole
    }

    private func fits(_ value: UInt64, _ range: (UInt64, UInt64)) -> Bool { range.0 <= value && value <= range.1 }

    /// The type of an object by the database's file types; nil when none of them fits.
    ///
    /// - Parameter previous: EM_TYPE_… that it has without them.
    package func fileType(of object: ByteView, previous: UInt32) -> UInt32? {
        guard metadata.types.count > 0 else { return nil }
        let head = object.prefix(Int(EM_FILE_TYPE_WINDOW))
        for index in 0..<metadata.types.count {
            guard let entry = metadata.types.element(index, as: em_file_type.self) else { break }
            guard entry.previous == EM_FILE_TYPE_ANY || entry.previous == previous else { continue }
            let literal = metadata.text(entry.literal, entry.literal_length)
            if entry.kind == EM_FILE_TYPE_BYTES {
                guard !literal.isEmpty, head.dropFirst(Int(entry.first)).hasPrefix(literal),
                    head.count >= Int(entry.first) + literal.count
                else { continue }
                return entry.type
            }
            guard literal.isEmpty || head.firstIndex(of: literal) != nil else { continue }
            let regex = metadata.text(entry.regex, entry.regex_length)
            if case .match = search(typeNumbers + UInt32(index), regex, options: EM_REGEX_DOTALL, in: head) {
                return entry.type
            }
        }
        return nil
    }

    // MARK: Links

    /// How a link rule is asked: EM_LINK_….
    ///
    /// - Parameters:
    ///   - kind: EM_LINK_….
    ///   - text: of a host rule the shown host, or "real:shown"; of an expression what it must match.
    /// - Returns: whether one of the rules holds.
    package func linkRule(_ kind: UInt32, holdsFor text: ByteView) -> Bool {
        var index = firstLink(kind)
        while let rule = metadata.links.element(index, as: em_link_rule.self), rule.kind == kind {
            defer { index += 1 }
            let pattern = metadata.text(rule.text, rule.length)
            if kind == EM_LINK_PROTECTED_HOST || kind == EM_LINK_ALLOWED_HOSTS {
                // The host itself, or one below it.
                guard !pattern.isEmpty, text.count >= pattern.count,
                    text.dropFirst(text.count - pattern.count).equals(pattern)
                else { continue }
                let rest = text.count - pattern.count
                if rest == 0 || text[rest - 1] == UInt8(ascii: ".") || text[rest - 1] == 0x20 { return true }
                continue
            }
            let literal = metadata.text(rule.literal, rule.literal_length)
            guard literal.isEmpty || text.firstIndex(of: literal) != nil else { continue }
            if case .match = search(linkNumbers + UInt32(index), pattern, in: text) { return true }
        }
        return false
    }

    private func firstLink(_ kind: UInt32) -> Int {
        var low = 0
        var high = metadata.links.count
        while low < high {
            let middle = low + (high - low) / 2
            let found = metadata.links.element(middle, as: em_link_rule.self)?.kind ?? .max
            if found < kind { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// What the database says about the SHA-256 of a host and a path: EM_LINK_HASH_…, nil when it is not there.
    package func linkHash(host: ByteView, path: ByteView) -> UInt32? {
        var text = host.array
        text.append(contentsOf: path.buffer)
        var digest = [UInt8](repeating: 0, count: 32)
        guard CCrypto_digest(CCRYPTO_SHA256, text, text.count, &digest) == 1 else { return nil }
        return digest.withUnsafeBufferPointer { linkHash(ByteView($0)) }
    }

    private func linkHash(_ digest: ByteView) -> UInt32? {
        var low = 0
        var high = metadata.hashes.count
        let stride = MemoryLayout<em_link_hash>.stride
        func place(_ index: Int) -> ByteView { metadata.hashes.bytes.slice(index * stride, index * stride + 32) }
        while low < high {
            let middle = low + (high - low) / 2
            if isBelow(place(middle), digest) { low = middle + 1 } else { high = middle }
        }
        guard low < metadata.hashes.count, place(low).equals(digest) else { return nil }
        return metadata.hashes.element(low, as: em_link_hash.self)?.kind
    }

    /// Whether there are hashes of URLs at all.
    package var hasLinkHashes: Bool { metadata.hashes.count > 0 }

    private func isBelow(_ a: ByteView, _ b: ByteView) -> Bool {
        for index in 0..<min(a.count, b.count) where a[index] != b[index] { return a[index] < b[index] }
        return a.count < b.count
    }

    private func search(
        _ number: UInt32, _ expression: ByteView, options: UInt32 = 0, in text: ByteView
    ) -> Regex.Outcome {
        regexes.with { cache in
            cache.regex(number, expression, options: options)?.search(text, from: 0) ?? .limit
        }
    }
}
