import CModuleABI

/// A section of a compiled database: its number, and bytes that may lie in several arrays.
package struct DatabaseSection: Sendable {
    /// EM_SECTION_….
    package let id: UInt32
    /// Of its layout.
    package let version: UInt32
    /// Elements, as the section's description counts them.
    package let count: Int
    /// Bytes.
    package let size: Int
    private let pieces: [Piece]

    /// One array of the section.
    package struct Piece: Sendable {
        let size: Int
        let write: @Sendable ((UnsafeRawBufferPointer) throws(DataModuleError) -> Void) throws(DataModuleError) -> Void

        /// The elements' bytes as they lie in memory; holds the array, copies nothing.
        package init<T: BitwiseCopyable & Sendable>(_ elements: [T]) {
            size = elements.count * MemoryLayout<T>.stride
            write = { sink throws(DataModuleError) in try lend(elements, sink) }
        }
    }

    package init(_ id: UInt32, version: UInt32, count: Int, _ pieces: [Piece]) {
        self.id = id
        self.version = version
        self.count = count
        self.pieces = pieces
        size = pieces.reduce(0) { $0 + $1.size }
    }

    /// A section that is one array.
    package init<T: BitwiseCopyable & Sendable>(_ id: UInt32, version: UInt32, _ elements: [T]) {
        self.init(id, version: version, count: elements.count, [Piece(elements)])
    }

    func write(_ sink: (UnsafeRawBufferPointer) throws(DataModuleError) -> Void) throws(DataModuleError) {
        for piece in pieces where piece.size > 0 { try piece.write(sink) }
    }
}

/// A compiled database, ready to be written: what follows em_database_header.
package struct CompiledDatabase: Sendable {
    /// EM_DATABASE_….
    package let kind: UInt32
    /// Format of the kind.
    package let format: UInt32
    /// Version of the content, rising.
    package let version: UInt64
    /// Number of signatures or rules.
    package let signatures: UInt64
    package let sections: [DatabaseSection]

    package init(kind: UInt32, format: UInt32, version: UInt64, signatures: UInt64, sections: [DatabaseSection]) {
        self.kind = kind
        self.format = format
        self.version = version
        self.signatures = signatures
        self.sections = sections
    }

    /// Size of the whole in bytes.
    package var size: Int {
        var end = Self.headSize(sections.count)
        for section in sections { end = Self.aligned(end) + section.size }
        return end
    }

    /// Writes it as a data module's content; nothing is copied.
    package func write(to writer: DataModuleWriter) throws(DataModuleError) {
        try writer.append(head())
        for section in sections {
            writer.align(to: UInt64(EM_DATABASE_ALIGNMENT))
            try section.write { bytes throws(DataModuleError) in try writer.append(bytes) }
        }
    }

    /// The whole as one array, for small databases and tests.
    package func bytes() throws(DataModuleError) -> [UInt8] {
        var result = head()
        result.reserveCapacity(size)
        for section in sections {
            result.append(contentsOf: repeatElement(0, count: Self.aligned(result.count) - result.count))
            try section.write { bytes throws(DataModuleError) in result.append(contentsOf: bytes) }
        }
        return result
    }

    private func head() -> [UInt8] {
        var header = em_database_header()
        header.magic = EM_DATABASE_MAGIC
        header.header_size = UInt32(MemoryLayout<em_database_header>.size)
        header.kind = kind
        header.format = format
        header.size = UInt64(size)
        header.version = version
        header.signatures = signatures
        header.section_count = UInt32(sections.count)
        var bytes = withUnsafeBytes(of: header) { [UInt8]($0) }
        var end = Self.headSize(sections.count)
        for section in sections {
            var entry = em_database_section()
            end = Self.aligned(end)
            entry.id = section.id
            entry.version = section.version
            entry.offset = UInt64(end)
            entry.length = UInt64(section.size)
            entry.count = UInt64(section.count)
            end += section.size
            bytes += withUnsafeBytes(of: entry) { [UInt8]($0) }
        }
        return bytes
    }

    private static func headSize(_ sections: Int) -> Int {
        MemoryLayout<em_database_header>.size + sections * MemoryLayout<em_database_section>.stride
    }

    private static func aligned(_ offset: Int) -> Int {
        (offset + Int(EM_DATABASE_ALIGNMENT) - 1) & ~(Int(EM_DATABASE_ALIGNMENT) - 1)
    }
}
