import BytesE

extension MachOFile {
    /// Entry point and sections as ClamAV's signatures mean them; nil when it calls the headers broken.
    ///
    /// Only a PowerPC thread command gives an entry point: all other programs have 0. A section's size is widened to
    /// its alignment. After a segment the next command begins behind its last section, whatever its size says.
    package var layout: (entry: Int, sections: [Range<Int>])? {
        guard commandCount > 0, commandCount <= MachOFile.commandLimit else { return nil }
        let fields = fields
        var sections: [(address: UInt32, size: UInt32, extent: Range<Int>)] = []
        var entry: UInt32 = 0
        var at = headerSize
        for _ in 0..<commandCount {
            guard at <= bytes.count - 8 else { return nil }
            let type = fields.long(at: at)
            if type == (isWide ? 0x19 : 0x01) {
                let size = isWide ? 72 : 56
                guard at <= bytes.count - size else { return nil }
                let count = fields.long(at: at + size - 8)
                at += size
                guard count <= 255 else { return nil }
                for _ in 0..<count {
                    guard let section = layoutSection(at: at) else { return nil }
                    sections.append(section)
                    at += isWide ? 80 : 68
                }
            } else if type == 4 || type == 5, let thread = threadState(at: at) {
                guard at + 16 <= bytes.count - thread.size else { return nil }
                if thread.hasEntry { entry = UInt32(truncatingIfNeeded: fields.word(at: at + 16, wide: thread.isWide)) }
                at += 16 + thread.size
            } else {
                at += max(8, Int(fields.long(at: at + 4)))
            }
        }
        guard entry != 0, !sections.isEmpty else { return (Int(entry), sections.map { $0.extent }) }
        guard
            let home = sections.first(where: { $0.address <= entry && entry < $0.address &+ $0.size })
        else { return nil }
        return (home.extent.lowerBound + Int(entry - home.address), sections.map { $0.extent })
    }

    /// The registers that follow a thread command's header, for the processors that have one here.
    private func threadState(at offset: Int) -> (size: Int, hasEntry: Bool, isWide: Bool)? {
        switch cpuType {
        case 7: (64, false, false)
        case 18: (160, true, false)
        case 0x0100_0012: (184, true, true)
        default: nil
        }
    }

    private func layoutSection(at offset: Int) -> (address: UInt32, size: UInt32, extent: Range<Int>)? {
        guard offset <= bytes.count - (isWide ? 80 : 68) else { return nil }
        let fields = fields
        let address = UInt32(truncatingIfNeeded: fields.word(at: offset + 32, wide: isWide))
        let size = UInt32(truncatingIfNeeded: fields.word(at: offset + (isWide ? 40 : 36), wide: isWide))
        let start = fields.long(at: offset + (isWide ? 48 : 40))
        let exponent = fields.long(at: offset + (isWide ? 52 : 44))
        guard exponent < 32 else { return nil }
        let alignment = UInt32(1) << exponent
        let aligned = size &+ (alignment - size % alignment) % alignment
        return (address, size, Int(start)..<Int(start) + Int(aligned))
    }
}
