package import BytesE
import CModuleABI
import Regex

/// The compiled signatures of an em002 module, used where they are mapped.
///
/// Making one reads the header, the section table and the heads of tables, never the mass of the data: it takes
/// microseconds at any size. Every other offset is checked when it is followed. It holds no state, so any
/// number of threads may use one; the mapping must outlive it.
package struct Database: @unchecked Sendable {
    /// Version of the content, rising.
    package let version: UInt64
    /// Number of signatures.
    package let signatureCount: Int

    let catalogue, text, sources: Section
    let hashes, allowed: HashSet
    let programHashes: ProgramHashes
    let certificates: CertificateSet
    let icons: IconSet
    let patterns: PatternSet
    /// Logical signatures and YARA rules.
    package let rules: RuleSet
    /// File types, entries of containers, links.
    let metadata: MetadataSet
    /// Compiled regular expressions, which threads lend each other.
    let regexes = RegexPool()

    /// Opens the data of an em002 module.
    ///
    /// - Parameter data: from `em_module_data` to its end; must stay valid as long as the database.
    /// - Throws: `DatabaseError` when it is none or contradicts itself.
    package init(_ data: ByteView) throws(DatabaseError) {
        let table = try SectionTable(data)
        version = table.header.version
        catalogue = try table.section(EM_SECTION_CATALOGUE, element: MemoryLayout<em_signature>.stride)
        text = try table.section(EM_SECTION_TEXT, element: 1)
        sources = try table.section(EM_SECTION_SOURCES, element: MemoryLayout<em_source>.stride)
        signatureCount = catalogue.count
        hashes = try HashSet(table, first: EM_SECTION_HASH_SIZES)
        allowed = try HashSet(table, first: EM_SECTION_ALLOW_SIZES)
        programHashes = try ProgramHashes(table)
        certificates = try CertificateSet(table)
        icons = try IconSet(table)
        patterns = try PatternSet(table)
        rules = try RuleSet(table)
        metadata = try MetadataSet(table)
    }

    /// Whether any signature looks at content beyond a digest.
    package var matchesContent: Bool { patterns.patterns.count > 0 }

    /// What the catalogue knows about a signature, or nil when the number is none.
    package func signature(_ index: Int) -> Signature? {
        guard let entry = catalogue.element(index, as: em_signature.self) else { return nil }
        let name = text.bytes.slice(Int(entry.name), Int(entry.name) + Int(entry.name_length))
        var source = ByteView()
        if let file = sources.element(Int(entry.source), as: em_source.self) {
            source = text.bytes.slice(Int(file.name), Int(file.name) + Int(file.name_length))
        }
        return Signature(name: name, source: source, line: Int(entry.line), flags: entry.flags)
    }
}

/// An entry of the catalogue. Its texts lie in the database.
package struct Signature {
    /// The threat's name as its author gave it.
    package let name: ByteView
    /// Name of the file that it came from.
    package let source: ByteView
    /// Line in that file, from 1.
    package let line: Int
    /// EM_SIGNATURE_….
    package let flags: UInt32
}

/// The checked header and section table.
package struct SectionTable {
    let data: ByteView
    let header: em_database_header

    /// A database has a handful of sections; more than this is damage.
    private static let sectionLimit = 4096

    package init(_ data: ByteView) throws(DatabaseError) {
        guard let header = data.structure(em_database_header.self, at: 0), header.magic == EM_DATABASE_MAGIC else {
            throw DatabaseError(.format, "not a database")
        }
        guard header.kind == EM_DATABASE_SIGNATURES else {
            throw DatabaseError(.format, "not a signature database")
        }
        guard header.format == EM_SIGNATURE_FORMAT else {
            throw DatabaseError(.format, "a format that this scanner does not know")
        }
        guard Int(header.header_size) >= MemoryLayout<em_database_header>.size, header.size <= UInt64(data.count),
            Int(header.section_count) <= Self.sectionLimit,
            data.part(
                at: UInt64(header.header_size), elements: UInt64(header.section_count),
                size: MemoryLayout<em_database_section>.stride) != nil
        else { throw DatabaseError(.damaged, "the header contradicts the size") }
        self.data = data.prefix(Int(header.size))
        self.header = header
    }

    /// A section by id; empty when there is none.
    /// `element` is the size of an element in bytes, and `count` elements must fit; 0: no elements.
    package func section(
        _ id: UInt32, element: Int, version: UInt32 = EM_SECTION_VERSION
    ) throws(DatabaseError) -> Section {
        for i in 0..<Int(header.section_count) {
            let at = Int(header.header_size) + i * MemoryLayout<em_database_section>.stride
            guard let entry = data.structure(em_database_section.self, at: at), entry.id == id else { continue }
            guard entry.version == version else {
                throw DatabaseError(.format, section: id, "a section version that this scanner does not know")
            }
            guard let bytes = data.part(at: entry.offset, elements: entry.length, size: 1) else {
                throw DatabaseError(.damaged, section: id, "a section lies outside")
            }
            guard element == 0 || entry.count <= entry.length / UInt64(element) else {
                throw DatabaseError(.damaged, section: id, "a section is too short for its elements")
            }
            return Section(bytes: bytes, count: element == 0 ? 0 : Int(entry.count))
        }
        return Section()
    }
}
