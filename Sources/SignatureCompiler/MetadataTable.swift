import Bytes
import CModuleABI
import DataModule

/// What a database knows about objects besides their bytes: file types, entries of containers, links;
/// and passwords of archives.
struct MetadataTable {
    private var types: [em_file_type] = []
    private var containers: [em_container_signature] = []
    private var links: [em_link_rule] = []
    private var hashes: [em_link_hash] = []
    private var passwords: [em_password] = []
    private var text: [UInt8] = []

    private mutating func place(_ bytes: [UInt8]) throws(DataModuleError) -> (offset: UInt32, length: UInt32) {
        guard text.count + bytes.count <= Int(Int32.max) else {
            throw DataModuleError("the texts of file types, containers and links are longer than 2 GiB")
        }
        let offset = UInt32(text.count)
        text += bytes
        return (offset, UInt32(bytes.count))
    }

    mutating func add(_ line: FileTypeLine) throws(DataModuleError) {
        var entry = em_file_type()
        entry.kind = line.regex.isEmpty ? EM_FILE_TYPE_BYTES : EM_FILE_TYPE_REGEX
        entry.type = line.type
        entry.previous = line.previous
        entry.first = line.first
        entry.last = line.last
        (entry.literal, entry.literal_length) = try place(line.literal)
        (entry.regex, entry.regex_length) = try place(line.regex)
        types.append(entry)
    }

    mutating func add(_ line: ContainerLine, signature: UInt32) throws(DataModuleError) {
        var entry = em_container_signature()
        entry.signature = signature
        entry.container = line.container
        (entry.name, entry.name_length) = try place(line.nameRegex)
        entry.container_size = (line.containerSize.lowerBound, line.containerSize.upperBound)
        entry.packed_size = (line.packedSize.lowerBound, line.packedSize.upperBound)
        entry.stated_size = (line.statedSize.lowerBound, line.statedSize.upperBound)
        entry.position = (
            UInt32(clamping: line.position.lowerBound), UInt32(clamping: line.position.upperBound)
        )
        if let crc32 = line.crc32 {
            entry.crc32 = crc32
            entry.flags |= EM_CONTAINER_CRC32
        }
        if let isEncrypted = line.isEncrypted {
            entry.flags |= isEncrypted ? EM_CONTAINER_ENCRYPTED : EM_CONTAINER_PLAIN
        }
        containers.append(entry)
    }

    mutating func add(_ line: LinkLine, signature: UInt32) throws(DataModuleError) {
        switch line.content {
        case .rule(let kind, let bytes, let literal):
            var entry = em_link_rule()
            entry.kind = kind
            (entry.text, entry.length) = try place(bytes)
            (entry.literal, entry.literal_length) = try place(literal)
            entry.signature = signature
            links.append(entry)
        case .hash(let kind, let digest):
            var entry = em_link_hash()
            withUnsafeMutableBytes(of: &entry.digest) { $0.copyBytes(from: digest) }
            entry.kind = kind
            entry.signature = signature
            hashes.append(entry)
        case .prefix: break
        }
    }

    mutating func add(_ line: PasswordLine, signature: UInt32) throws(DataModuleError) {
        let (offset, length) = try place(line.password)
        passwords.append(em_password(signature: signature, container: line.container, text: offset, length: length))
    }

    func finish() -> [DatabaseSection] {
        let isEmpty = types.isEmpty && containers.isEmpty && links.isEmpty && hashes.isEmpty && passwords.isEmpty
        guard !isEmpty else { return [] }
        let sortedLinks = links.enumerated().sorted { ($0.element.kind, $0.offset) < ($1.element.kind, $1.offset) }
        let sortedHashes = hashes.enumerated().sorted { a, b in
            let (left, right) = (Self.digest(a.element), Self.digest(b.element))
            // Equal ones: what is allowed comes first.
            if left == right { return (a.element.kind, a.offset) < (b.element.kind, b.offset) }
            return left.lexicographicallyPrecedes(right)
        }
        return [
            DatabaseSection(EM_SECTION_FILE_TYPES, version: EM_SECTION_VERSION, types),
            DatabaseSection(EM_SECTION_CONTAINERS, version: EM_SECTION_VERSION, containers),
            DatabaseSection(EM_SECTION_LINKS, version: EM_SECTION_VERSION, sortedLinks.map(\.element)),
            DatabaseSection(EM_SECTION_LINK_HASHES, version: EM_SECTION_VERSION, sortedHashes.map(\.element)),
            DatabaseSection(EM_SECTION_PASSWORDS, version: EM_SECTION_VERSION, passwords),
            DatabaseSection(EM_SECTION_METADATA_TEXT, version: EM_SECTION_VERSION, text),
        ]
    }

    private static func digest(_ entry: em_link_hash) -> [UInt8] {
        withUnsafeBytes(of: entry.digest) { [UInt8]($0) }
    }
}
