package import Bytes
import CModuleABI

/// The names and sources of the signatures of an em002 database, read where it is mapped.
///
/// Every offset is checked when it is followed; what does not fit reads as empty.
package struct SignatureCatalogue {
    /// One signature.
    package struct Entry {
        /// The threat's name; its bytes lie in the database.
        package let name: ByteView
        /// Index in `sources`.
        package let source: Int
        /// Line in its file, from 1.
        package let line: Int
        /// EM_SIGNATURE_….
        package let flags: UInt32
    }

    /// A file of signatures.
    package struct Source {
        package let name: ByteView
        /// How many came out of it.
        package let signatures: Int
    }

    /// Version of the content, rising.
    package let version: UInt64
    /// Number of signatures.
    package let count: Int
    package let sources: [Source]
    private let entries: ByteView
    private let text: ByteView

    /// - Parameter data: from `em_module_data` to its end; must stay valid as long as this.
    /// - Returns: nil when it is no signature database.
    package init?(_ data: ByteView) {
        guard let header = Self.read(em_database_header.self, data, 0), header.magic == EM_DATABASE_MAGIC,
            header.kind == EM_DATABASE_SIGNATURES
        else { return nil }
        version = header.version
        let names = Self.section(EM_SECTION_SOURCES, of: header, in: data)
        entries = Self.section(EM_SECTION_CATALOGUE, of: header, in: data)
        text = Self.section(EM_SECTION_TEXT, of: header, in: data)
        count = entries.count / MemoryLayout<em_signature>.stride
        var sources: [Source] = []
        for index in 0..<min(names.count / MemoryLayout<em_source>.stride, 65_536) {
            guard let source = Self.read(em_source.self, names, index * MemoryLayout<em_source>.stride) else { break }
            let start = Int(source.name)
            sources.append(
                Source(
                    name: text.slice(start, start + Int(source.name_length)), signatures: Int(source.signatures)))
        }
        self.sources = sources
    }

    /// A signature by number; nil when there is none.
    package subscript(index: Int) -> Entry? {
        guard index >= 0, index < count,
            let entry = Self.read(em_signature.self, entries, index * MemoryLayout<em_signature>.stride)
        else { return nil }
        let start = Int(entry.name)
        return Entry(
            name: text.slice(start, start + Int(entry.name_length)), source: Int(entry.source), line: Int(entry.line),
            flags: entry.flags)
    }

    private static func section(_ id: UInt32, of header: em_database_header, in data: ByteView) -> ByteView {
        for index in 0..<min(Int(header.section_count), 4096) {
            let offset = Int(header.header_size) + index * MemoryLayout<em_database_section>.stride
            guard let section = read(em_database_section.self, data, offset) else { break }
            guard section.id == id else { continue }
            guard section.version == EM_SECTION_VERSION, section.offset <= UInt64(data.count),
                section.length <= UInt64(data.count) - section.offset
            else { break }
            return data.slice(Int(section.offset), Int(section.offset + section.length))
        }
        return ByteView()
    }

    private static func read<T: BitwiseCopyable>(_ type: T.Type, _ bytes: ByteView, _ offset: Int) -> T? {
        let part = bytes.slice(offset, offset + MemoryLayout<T>.size)
        guard offset >= 0, part.count == MemoryLayout<T>.size, let base = part.buffer.baseAddress else { return nil }
        return UnsafeRawPointer(base).loadUnaligned(as: type)
    }
}
