package import BytesE
package import CModuleABI

/// The checked header and section table.
package struct SectionTable {
    package let data: ByteView
    package let header: em_database_header

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
