package import BytesE

/// A segment of a Mach-O file with its sections.
package struct MachOSegment: Sendable {
    package let name: ByteView
    package let address: UInt64
    package let memorySize: UInt64
    /// In the file.
    package let offset: UInt64
    package let fileSize: UInt64
    package let maximumProtection: UInt32
    package let initialProtection: UInt32
    package let flags: UInt32
    package let sections: [MachOSection]
}

/// A section of a Mach-O file.
package struct MachOSection: Sendable {
    package let name: ByteView
    package let segmentName: ByteView
    package let address: UInt64
    package let size: UInt64
    /// In the file.
    package let offset: UInt32
    /// Exponent of two.
    package let alignment: UInt32
    package let flags: UInt32
}

extension MachOFile {
    /// The segments that load commands describe, with the sections that lie in the command.
    package var segments: [MachOSegment] {
        let fields = fields
        var segments: [MachOSegment] = []
        for command in commands where command.type == (isWide ? 0x19 : 0x01) {
            let at = command.extent.lowerBound
            let head = isWide ? 72 : 56
            let size = isWide ? 80 : 68
            guard command.extent.count >= head else { continue }
            let declared = Int(fields.long(at: at + head - 8))
            var sections: [MachOSection] = []
            for number in 0..<min(declared, (command.extent.count - head) / size) {
                sections.append(section(at: at + head + number * size))
            }
            let word = isWide ? 8 : 4
            segments.append(
                MachOSegment(
                    name: name(at: at + 8), address: fields.word(at: at + 24, wide: isWide),
                    memorySize: fields.word(at: at + 24 + word, wide: isWide),
                    offset: fields.word(at: at + 24 + 2 * word, wide: isWide),
                    fileSize: fields.word(at: at + 24 + 3 * word, wide: isWide),
                    maximumProtection: fields.long(at: at + head - 16),
                    initialProtection: fields.long(at: at + head - 12), flags: fields.long(at: at + head - 4),
                    sections: sections))
        }
        return segments
    }

    /// Paths of the libraries that it is linked to.
    package var libraries: [ByteView] {
        var libraries: [ByteView] = []
        for command in commands {
            // LC_LOAD_DYLIB, weak, reexported, lazy, upward.
            switch command.type & 0x7fff_ffff {
            case 0x0c, 0x18, 0x1f, 0x20, 0x23: break
            default: continue
            }
            let text = bytes.slice(command.extent.lowerBound, command.extent.upperBound)
            let start = Int(fields.long(at: command.extent.lowerBound + 8))
            guard start >= 24, start < text.count else { continue }
            let name = text.dropFirst(start)
            libraries.append(name.prefix(name.firstIndex(of: 0) ?? name.count))
        }
        return libraries
    }

    /// Place of the first instruction in the file: from the main command, or from the thread's registers.
    package var entryPoint: Int? {
        for command in commands {
            let at = command.extent.lowerBound
            switch command.type {
            case 0x8000_0028 where command.extent.count >= 16:
                let offset = fields.quad(at: at + 8)
                return offset < UInt64(bytes.count) ? Int(offset) : nil
            case 4, 5:
                guard let register = programCounter(at: at), register.at + 8 <= command.extent.upperBound else {
                    continue
                }
                return offset(of: fields.word(at: register.at, wide: register.isWide))
            default: continue
            }
        }
        return nil
    }

    /// Where an address comes from in the file.
    package func offset(of address: UInt64) -> Int? {
        for segment in segments {
            let (delta, isBelow) = address.subtractingReportingOverflow(segment.address)
            guard !isBelow, delta < segment.fileSize, segment.offset < UInt64(bytes.count),
                delta < UInt64(bytes.count) - segment.offset
            else { continue }
            return Int(segment.offset + delta)
        }
        return nil
    }

    /// Where a thread command keeps the address of the next instruction.
    private func programCounter(at offset: Int) -> (at: Int, isWide: Bool)? {
        let registers = offset + 16
        switch cpuType {
        case 7: return (registers + 40, false)
        case 0x0100_0007: return (registers + 128, true)
        case 12: return (registers + 60, false)
        case 0x0100_000c: return (registers + 256, true)
        case 18: return (registers, false)
        case 0x0100_0012: return (registers, true)
        default: return nil
        }
    }

    private func section(at offset: Int) -> MachOSection {
        MachOSection(
            name: name(at: offset), segmentName: name(at: offset + 16),
            address: fields.word(at: offset + 32, wide: isWide),
            size: fields.word(at: offset + (isWide ? 40 : 36), wide: isWide),
            offset: fields.long(at: offset + (isWide ? 48 : 40)),
            alignment: fields.long(at: offset + (isWide ? 52 : 44)),
            flags: fields.long(at: offset + (isWide ? 64 : 56)))
    }

    /// Sixteen bytes, padded with zeros.
    private func name(at offset: Int) -> ByteView {
        let padded = bytes.slice(offset, offset + 16)
        return padded.prefix(padded.firstIndex(of: 0) ?? padded.count)
    }
}
