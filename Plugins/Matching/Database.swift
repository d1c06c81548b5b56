package import BytesE
import CModuleABI
package import DatabaseSections
import Lending
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
    let regexes = LendingPool { RegexCache() }

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

    /// Whether rules ask for `ObjectFacts.imageHash`.
    package var asksForImages: Bool { rules.asksForImages }

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
