package import BytesE

/// A symbol of an ELF file.
package struct ELFSymbol: Sendable {
    package let name: ByteView
    package let value: UInt64
    package let size: UInt64
    /// Low four bits of the information: what it is.
    package let type: UInt8
    /// High four bits: who sees it.
    package let binding: UInt8
    /// Number of the section that it belongs to.
    package let section: UInt16
}

/// An entry of the dynamic section.
package struct ELFDynamicEntry: Sendable {
    package let type: UInt64
    package let value: UInt64
}

extension ELFFile {
    /// Symbols that are read.
    package static let symbolLimit = 65_536
    private static let dynamicLimit = 4096

    /// A section's name, or nil when it has none in the file.
    package func name(of section: ELFSection) -> ByteView? {
        guard sectionNames < sectionCount, let table = self.section(Int(sectionNames)) else { return nil }
        return name(Int(section.nameOffset), in: content(of: table))
    }

    /// The names of all sections, in their order: empty for those without.
    package var sectionNameList: [ByteView] {
        guard sectionNames < sectionCount, let table = section(Int(sectionNames)) else { return [] }
        let text = content(of: table)
        return sections.map { name(Int($0.nameOffset), in: text) ?? ByteView() }
    }

    /// Visits the symbols of the tables of one type: ELFSection.symbolTable or .dynamicSymbols.
    ///
    /// - Parameter visit: returns whether to go on.
    package func forEachSymbol(_ type: UInt32, _ visit: (ELFSymbol) -> Bool) {
        let sections = sections
        var left = ELFFile.symbolLimit
        for table in sections where table.type == type && Int(table.link) < sections.count {
            let content = content(of: table)
            let names = self.content(of: sections[Int(table.link)])
            let fields = OrderedFields(bytes: content, isBigEndian: isBigEndian)
            let size = isWide ? 24 : 16
            for number in 0..<content.count / size {
                guard left > 0 else { return }
                left -= 1
                let at = number * size
                let info = content[at + (isWide ? 4 : 12)]
                let symbol = ELFSymbol(
                    name: name(Int(fields.long(at: at)), in: names) ?? ByteView(),
                    value: fields.word(at: at + (isWide ? 8 : 4), wide: isWide),
                    size: fields.word(at: at + (isWide ? 16 : 8), wide: isWide), type: info & 15, binding: info >> 4,
                    section: fields.half(at: at + (isWide ? 6 : 14)))
                guard visit(symbol) else { return }
            }
        }
    }

    /// The entries of the dynamic segment, up to the one that ends it.
    package var dynamicEntries: [ELFDynamicEntry] {
        guard let segment = segments.first(where: { $0.type == ELFSegment.dynamic }),
            segment.offset <= UInt64(bytes.count)
        else { return [] }
        var entries: [ELFDynamicEntry] = []
        let size = isWide ? 16 : 8
        var at = Int(segment.offset)
        let end = at + Int(min(segment.fileSize, UInt64(bytes.count - at)))
        while at <= end - size, entries.count < ELFFile.dynamicLimit {
            let type = fields.word(at: at, wide: isWide)
            entries.append(.init(type: type, value: fields.word(at: at + size / 2, wide: isWide)))
            if type == 0 { break }
            at += size
        }
        return entries
    }

    private func section(_ number: Int) -> ELFSection? {
        guard Int(sectionEntrySize) >= sectionSize, sectionTable <= UInt64(bytes.count) else { return nil }
        let at = Int(sectionTable) + number * Int(sectionEntrySize)
        return at <= bytes.count - sectionSize ? ELFSection(fields, at: at, wide: isWide) : nil
    }

    /// A name that ends within 2 KiB: longer ones would make a table of symbols cost more than the file is long.
    private func name(_ offset: Int, in text: ByteView) -> ByteView? {
        guard offset < text.count else { return nil }
        let part = text.slice(offset, offset + 2048)
        return part.firstIndex(of: 0).map { part.prefix($0) }
    }
}
