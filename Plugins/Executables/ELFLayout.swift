import BytesE

extension ELFFile {
    /// Segments and sections that signatures can be bound to; files with more count as broken.
    private static let layoutSegmentLimit = 128
    private static let layoutSectionLimit = 256

    /// Entry point and sections as ClamAV's signatures mean them; nil when it calls the headers broken.
    ///
    /// An address belongs to the first segment of any type that holds it in memory; the entry is 0 for a file without
    /// segments or entry address. Every section counts, with the size that it declares, whatever it has in the file.
    /// Sizes and places are those below 4 GiB: more bits are cut off.
    package var layout: (entry: Int, sections: [Range<Int>])? {
        guard segmentCount <= ELFFile.layoutSegmentLimit, sectionCount <= ELFFile.layoutSectionLimit,
            Int(sectionEntrySize) == sectionSize
        else { return nil }
        var entry: UInt64 = 0
        if segmentCount > 0, entryAddress != 0 {
            guard Int(segmentEntrySize) == segmentSize else { return nil }
            let segments = segments
            guard segments.count == Int(segmentCount),
                let home = segments.first(where: {
                    $0.address <= entryAddress && entryAddress < ($0.address &+ $0.memorySize) & addressMask
                })
            else { return nil }
            entry = entryAddress &- home.address &+ home.offset
        }
        let sections = sections
        guard sections.count == Int(sectionCount) else { return nil }
        return (
            Int(UInt32(truncatingIfNeeded: entry)),
            sections.map {
                let start = Int(UInt32(truncatingIfNeeded: $0.offset))
                return start..<start + Int(UInt32(truncatingIfNeeded: $0.size))
            }
        )
    }

    private var addressMask: UInt64 { isWide ? .max : 0xffff_ffff }
}
