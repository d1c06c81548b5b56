import BytesE
import CModuleABI
import DatabaseSections
import Executables

/// Signatures that are digests of parts of Windows programs: of sections, and of the text of the imports.
struct ProgramHashes {
    let sections, imports: HashSet

    init(_ table: SectionTable) throws(DatabaseError) {
        sections = try HashSet(table, first: EM_SECTION_PE_SIZES)
        imports = try HashSet(table, first: EM_SECTION_IMPORT_SIZES)
    }

    private var isEmpty: Bool { !ProgramHashes.hasDigests(sections) && !ProgramHashes.hasDigests(imports) }

    private static func hasDigests(_ set: HashSet) -> Bool { set.tables.contains { $0.count > 0 } }

    /// Sections may overlap: so many bytes may be digested for each byte of the file, and for any file.
    private static let bytesPerByte = 8
    private static let byteFloor = 16 << 20

    /// Looks for digests of a file's parts.
    ///
    /// Digests of sections are computed only where a signature has the section's size; an import hash only when there
    /// is a signature with one. Import hashes are those of 32-bit programs: the signatures were made with that meaning.
    ///
    /// - Parameter found: gets a signature's number and where the part begins; returns whether to go on.
    func match(
        _ object: ByteView, digests: Digests, check: () -> Bool, found: (Int, Int) -> Bool
    ) -> MatchOutcome {
        guard !isEmpty, let file = PEFile(object), let layout = PELayout(file) else { return .complete }
        var goOn = true
        var left = max(Self.byteFloor, object.count * Self.bytesPerByte)
        for section in layout.sections where section.size > 0 {
            let extent = section.extent
            let wanted = sections.sizes.algorithms(size: extent.count)
            guard wanted != 0 else { continue }
            let part = object.slice(extent.lowerBound, extent.upperBound)
            for table in sections.tables where wanted & (1 << table.algorithm) != 0 && table.count > 0 {
                left -= part.count
                guard left > 0 else { return .limit }
                let outcome = lookUp(part, size: part.count, in: table, digests, check: check) { signature in
                    goOn = found(signature, extent.lowerBound)
                    return goOn
                }
                if outcome != .complete || !goOn { return outcome }
            }
        }
        guard Self.hasDigests(imports), !file.header.isPlus else { return .complete }
        return matchImports(file, layout, digests, check: check, found: found)
    }

    private func matchImports(
        _ file: PEFile, _ layout: PELayout, _ digests: Digests, check: () -> Bool, found: (Int, Int) -> Bool
    ) -> MatchOutcome {
        var text: [UInt8] = []
        guard case .complete = file.importText(layout.addresses, { text.append(contentsOf: $0.buffer) }) else {
            return .complete
        }
        let wanted = imports.sizes.algorithms(size: text.count)
        var goOn = true
        return text.withUnsafeBufferPointer { bytes in
            for table in imports.tables where wanted & (1 << table.algorithm) != 0 && table.count > 0 {
                let outcome = lookUp(ByteView(bytes), size: bytes.count, in: table, digests, check: check) {
                    signature in
                    goOn = found(signature, 0)
                    return goOn
                }
                if outcome != .complete || !goOn { return outcome }
            }
            return .complete
        }
    }

    private func lookUp(
        _ part: ByteView, size: Int, in table: HashTable, _ digests: Digests, check: () -> Bool, found: (Int) -> Bool
    ) -> MatchOutcome {
        digests.with(part, algorithm: table.algorithm, check: check) { digest in
            table.find(digest, size: size, found: found)
        }
    }
}
