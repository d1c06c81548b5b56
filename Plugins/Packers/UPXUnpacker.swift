import BytesE
import CModuleABI
import Executables
import ModuleKit
import Unpacking

/// Programs that UPX packed, for Windows (PE) and Linux (ELF), without running them.
final class UPXUnpacker: Unpacker {
    private var isDone = false

    static var extractor: Extractor {
        Extractor(
            "UPX", option: "av_scan_obj_rtp",
            identify: { candidate in
                isPackedPE(candidate.data) || UPXProgram(candidate.data) != nil
                    ? Claim(.beside, sureness: 55, type: EM_TYPE_UNKNOWN) : nil
            },
            open: { scan, object, _ throws(ModuleError) in UPXUnpacker(scan, object, format: "UPX") })
    }

    override func next() throws(ModuleError) -> Bool {
        guard !isDone, mayHaveChildren() else { return false }
        isDone = true
        if data.hasPrefix(ByteView("MZ")) { return try unpackPE() }
        return try unpackELF()
    }

    // MARK: Windows

    /// Whether the first section has no bytes in the file but room for the program, and the entry lies in the second.
    private static func isPackedPE(_ data: ByteView) -> Bool {
        guard data.hasPrefix(ByteView("MZ")), let file = PEFile(data), file.sections.count >= 2 else { return false }
        let room = file.sections[0]
        let packed = file.sections[1]
        let entry = file.header.entryPoint
        guard room.rawSize == 0, room.virtualSize > 0, packed.rawSize > 0, entry >= packed.virtualAddress,
            entry < packed.virtualAddress &+ max(packed.virtualSize, packed.rawSize)
        else { return false }
        return Stub(file) != nil || packHeader(data, packed) != nil
    }

    /// The first instructions: where they read from and where they write to, from the image's base.
    private struct Stub {
        let source: UInt32
        let destination: UInt32

        init?(_ file: PEFile) {
            let section = file.sections[1]
            let code = file.bytes.dropFirst(
                Int(section.rawOffset) + Int(file.header.entryPoint &- section.virtualAddress))
            if code.count > 12, code[0] == 0x60, code[1] == 0xbe, code[6] == 0x8d, code[7] == 0xbe,
                let address = code.load(UInt32.self, at: 2), let distance = code.load(UInt32.self, at: 8)
            {
                source = address &- UInt32(truncatingIfNeeded: file.header.imageBase)
                destination = source &+ distance
            } else if code.count > 18, code.hasPrefix(ByteView("SVWU\u{48}")), code[5] == 0x8d, code[6] == 0x35,
                code[11] == 0x48, code[12] == 0x8d, code[13] == 0xbe, let address = code.load(UInt32.self, at: 7),
                let distance = code.load(UInt32.self, at: 14)
            {
                source = file.header.entryPoint &+ 11 &+ address
                destination = source &+ distance
            } else {
                return nil
            }
        }
    }

    /// UPX's own header, right before the packed section: place of "UPX!". Packers of malware wipe it out.
    private static func packHeader(_ data: ByteView, _ section: PESection) -> Int? {
        let end = Int(section.rawOffset)
        let start = max(0, end - 64)
        return data.slice(start, end + 64).firstIndex(of: ByteView("UPX!")).map { start + $0 }
    }

    private func unpackPE() throws(ModuleError) -> Bool {
        guard let file = PEFile(data), file.sections.count >= 2 else { return false }
        let packed = file.sections[1]
        let stub = Stub(file)
        var from = Int(packed.rawOffset)
        if let stub, stub.source >= packed.virtualAddress {
            from += Int(stub.source - packed.virtualAddress)
        }
        let header = Self.packHeader(data, packed)
        let image = Int(packed.virtualAddress) + Int(packed.virtualSize) - Int(file.sections[0].virtualAddress)
        var methods: [UInt8] = []
        var size = image
        if let header {
            methods.append(header + 7 <= data.count ? data[header + 6] : 0)
            let stated = Int(data.load(UInt32.self, at: header + 16) ?? 0)
            if stated > 0, stated <= max(image, 16 * data.count) { size = stated }
            if from < header + 32 { from = header + 32 }
        }
        for method: UInt8 in [2, 5, 8, 14] where !methods.contains(method) { methods.append(method) }
        let isFilterKnown = header.map { $0 + 30 <= data.count } ?? false
        for method in methods {
            let block = UPXBlock(
                data: data.dropFirst(from), size: size, method: method,
                filter: header.map { isFilterKnown ? data[$0 + 28] : 0 } ?? 0x26,
                mark: header.map { isFilterKnown ? data[$0 + 29] : 0 } ?? 0)
            var output = try Output(scan, in: object, expected: size)
            let end = try block.expand(into: &output)
            // A wrong method ends at once; a damaged stream still gives what came before.
            guard end == .complete || end == .overLimit || output.count >= 4096 || method == methods.last else {
                continue
            }
            guard output.count > 0 else { break }
            var child = Child()
            if end != .complete { child.flags |= EM_OBJECT_MALFORMED }
            try close(&output, &child)
            try rebuild(file, block, &child)
            try submit(child)
            return true
        }
        found(EM_OBJECT_UNSUPPORTED)
        return false
    }

    /// Puts the program together as it was before: its headers stand behind its image, their place in the last four
    /// bytes. Tables of imports and relocations stay as UPX changed them.
    private func rebuild(_ packed: PEFile, _ block: UPXBlock, _ child: inout Child) throws(ModuleError) {
        let image = child.data
        let base = Int(packed.sections[0].virtualAddress)
        guard let place = image.load(UInt32.self, at: image.count - 4).map(Int.init), place < image.count,
            image.load(UInt32.self, at: place) == 0x4550, let count = image.load(UInt16.self, at: place + 6),
            let optional = image.load(UInt16.self, at: place + 20), count > 0, count <= 96,
            let codeSize = image.load(UInt32.self, at: place + 28),
            let codeBase = image.load(UInt32.self, at: place + 44)
        else { return }
        let table = place + 24 + Int(optional)
        let headerEnd = table + 40 * Int(count)
        guard headerEnd <= image.count else { return }
        let codeStart = Int(codeBase) - base
        try block.unfilter(image.slice(codeStart, codeStart + Int(codeSize)), base: codeStart, scan)
        var output = try Output(scan, in: object, expected: image.count)
        _ = try output.append(data.prefix(packed.header.offset))
        _ = try output.append(image.slice(place, headerEnd))
        for number in 0..<Int(count) {
            let entry = table + 40 * number
            guard let address = image.load(UInt32.self, at: entry + 12),
                let size = image.load(UInt32.self, at: entry + 16),
                let offset = image.load(UInt32.self, at: entry + 20), size > 0, offset > 0
            else { continue }
            let gap = Int(offset) - output.count
            // Sections that do not follow one another cannot be written one behind the other.
            guard gap >= 0, gap < 1 << 20, try output.append(0, count: gap) else { continue }
            let start = Int(address) - base
            let content = image.slice(start, start + Int(size))
            guard try output.append(content),
                try output.append(0, count: min(Int(size) - content.count, 1 << 20))
            else { break }
        }
        try close(&output, &child)
        child.type = EM_TYPE_PE
    }

    // MARK: Linux

    private func unpackELF() throws(ModuleError) -> Bool {
        guard let program = UPXProgram(data) else { return false }
        var child = Child()
        child.type = EM_TYPE_ELF
        var output = try Output(scan, in: object, expected: program.size)
        var place = program.firstBlock
        var segments: [Range<Int>] = []
        var blocks = 0
        while let size = data.load(UInt32.self, at: place), let packedSize = data.load(UInt32.self, at: place + 4),
            place + 12 <= data.count, size > 0, packedSize <= size, output.stoppedBy == 0
        {
            let block = UPXBlock(
                data: data.slice(place + 12, place + 12 + Int(packedSize)), size: Int(size), method: data[place + 8],
                filter: data[place + 9], mark: data[place + 10])
            place += 12 + Int(packedSize)
            // Up to where the segment lies that this block begins.
            if let next = segments.first(where: { $0.upperBound > output.count }), next.lowerBound > output.count {
                guard next.lowerBound - output.count < 1 << 24,
                    try output.append(0, count: next.lowerBound - output.count)
                else { break }
            }
            let start = output.count
            let end =
                packedSize == size
                ? (try output.append(block.data) ? InflateEnd.complete : .overLimit)
                : try block.expand(into: &output)
            if end == .damaged || end == .truncated { child.flags |= EM_OBJECT_MALFORMED }
            guard end == .complete else { break }
            try block.unfilter(output.bytes.dropFirst(start), base: 0, scan)
            if blocks == 0 { segments = UPXProgram.segments(output.bytes) }
            blocks += 1
        }
        guard output.count > 0 else {
            found(EM_OBJECT_UNSUPPORTED)
            return false
        }
        try close(&output, &child)
        try submit(child)
        return true
    }
}

/// An ELF program of UPX: its own headers, then "UPX!" and blocks.
private struct UPXProgram {
    let firstBlock: Int
    /// As it states itself; a hint.
    let size: Int

    init?(_ data: ByteView) {
        guard data.hasPrefix(ByteView("\u{7f}ELF")), data.count > 128, data[5] == 1 else { return nil }
        let is64 = data[4] == 2
        guard let headers = is64 ? data.load(UInt64.self, at: 32) : data.load(UInt32.self, at: 28).map({ UInt64($0) }),
            let entry = data.load(UInt16.self, at: is64 ? 54 : 42),
            let count = data.load(UInt16.self, at: is64 ? 56 : 44), headers < 4096, count <= 64
        else { return nil }
        let place = Int(headers) + Int(entry) * Int(count)
        guard data.load(UInt32.self, at: place + 4) == 0x2158_5055, let size = data.load(UInt32.self, at: place + 16)
        else {
            return nil
        }
        firstBlock = place + 24
        self.size = Int(size)
    }

    /// Where the segments that are loaded lie in the file, behind the headers; ascending.
    static func segments(_ head: ByteView) -> [Range<Int>] {
        guard head.count > 52 else { return [] }
        let is64 = head[4] == 2
        let table = is64 ? 64 : 52
        let size = is64 ? 56 : 32
        var result: [Range<Int>] = []
        for number in 0..<min(64, max(0, (head.count - table) / size)) {
            let at = table + number * size
            guard head.load(UInt32.self, at: at) == 1 else { continue }
            let offset =
                is64 ? head.load(UInt64.self, at: at + 8) : head.load(UInt32.self, at: at + 4).map { UInt64($0) }
            let length =
                is64 ? head.load(UInt64.self, at: at + 32) : head.load(UInt32.self, at: at + 16).map { UInt64($0) }
            guard let offset, let length, offset < 1 << 32, length < 1 << 32 else { continue }
            let start = max(Int(offset), head.count)
            if Int(offset + length) > start { result.append(start..<Int(offset + length)) }
        }
        return result.sorted { $0.lowerBound < $1.lowerBound }
    }
}
