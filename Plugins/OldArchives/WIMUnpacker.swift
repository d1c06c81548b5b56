import BytesE
import CModuleABI
import ModuleKit
import Unpacking

/// Images of Windows (WIM, "Windows Imaging File Format"): every stored resource, with XPRESS or LZX, under the name that a
/// file with it has; LZMS and solid resources are told as unsupported.
final class WIMUnpacker: Unpacker {
    /// Where the table of resources is read on; nil before that.
    private var index: Int?
    private var tableStart = 0
    private var tableSize = 0
    private var names = NumberedNames()

    private static let entrySize = 50

    /// A piece of the file that is packed in chunks.
    private struct Resource {
        let flags: UInt8
        let offset: UInt64
        let packedSize: UInt64
        let size: UInt64

        init?(_ data: ByteView, at place: Int) {
            guard let word = data.load(UInt64.self, at: place), let offset = data.load(UInt64.self, at: place + 8),
                let size = data.load(UInt64.self, at: place + 16)
            else { return nil }
            flags = UInt8(word >> 56)
            packedSize = word & 0x00ff_ffff_ffff_ffff
            self.offset = offset
            self.size = size
        }
    }

    static var extractor: Extractor {
        Extractor(
            "WIM",
            identify: { candidate in
                let isWIM = candidate.data.count >= 208 && candidate.data.hasPrefix(ByteView("MSWIM\0\0\0"))
                return isWIM ? .magic(EM_TYPE_ARCHIVE) : nil
            },
            open: { scan, object, _ throws(ModuleError) in WIMUnpacker(scan, object, format: "WIM") })
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        if index == nil {
            guard let table = Resource(data, at: 48), table.flags & 4 == 0, table.offset < UInt64(data.count) else {
                found(EM_OBJECT_UNSUPPORTED)
                return false
            }
            tableStart = Int(table.offset)
            tableSize = Int(min(table.packedSize, UInt64(data.count - tableStart)))
            if table.packedSize > UInt64(tableSize) { found(EM_OBJECT_TRUNCATED) }
            index = 0
            try readNames()
        }
        while let number = index, (number + 1) * Self.entrySize <= tableSize {
            try scan.check()
            index = number + 1
            guard let resource = Resource(data, at: tableStart + number * Self.entrySize), resource.size > 0,
                resource.flags & 2 == 0
            else { continue }
            try submit(resource, names.name(data.load(UInt64.self, at: tableStart + number * Self.entrySize + 30) ?? 0))
            return true
        }
        return false
    }

    /// Most bytes of metadata, and images of which they are read.
    private static let mostMetadata: UInt64 = 16 << 20
    private static let mostImages = 16

    /// Reads the names of files out of the metadata of the images.
    private func readNames() throws(ModuleError) {
        var images = 0
        for number in 0..<min(tableSize / Self.entrySize, 1 << 20) {
            if number & 0xfff == 0 { try scan.check() }
            guard let resource = Resource(data, at: tableStart + number * Self.entrySize), resource.flags & 0x1a == 2,
                resource.size <= Self.mostMetadata, resource.offset < UInt64(data.count)
            else { continue }
            images += 1
            guard images <= Self.mostImages else { return }
            let packed = data.dropFirst(Int(resource.offset)).prefix(Int(clamping: resource.packedSize))
            guard resource.flags & 4 != 0 else {
                names.add(wim: packed)
                continue
            }
            var output = try Output(scan, in: object, expected: Int(resource.size))
            var child = Child()
            if try expand(packed, resource.size, &child, into: &output) { names.add(wim: try output.finish()) }
        }
    }

    private func submit(_ resource: Resource, _ name: [UInt8]) throws(ModuleError) {
        var child = Child()
        child.statedSize = resource.size
        child.offset = min(resource.offset, UInt64(data.count))
        guard resource.flags & 0x18 == 0 else {
            child.flags |= EM_OBJECT_UNSUPPORTED
            return try submit(child, name: name)
        }
        let start = Int(min(resource.offset, UInt64(data.count)))
        let packed = data.dropFirst(start).prefix(Int(clamping: resource.packedSize))
        child.extent = UInt64(packed.count)
        if UInt64(packed.count) < resource.packedSize { child.flags |= EM_OBJECT_TRUNCATED }
        if resource.flags & 4 == 0 {
            child.data = packed
            child.flags |= EM_OBJECT_IN_PLACE
            return try submit(child, name: name)
        }
        var output = try Output(scan, in: object, expected: Int(clamping: resource.size))
        if try !expand(packed, resource.size, &child, into: &output), output.stoppedBy == 0 {
            child.flags |= EM_OBJECT_MALFORMED
        }
        try close(&output, &child)
        try submit(child, name: name)
    }

    /// A table says where each chunk but the first begins; a chunk that is as long as its content is stored.
    private func expand(
        _ packed: ByteView, _ size: UInt64, _ child: inout Child, into output: inout Output
    ) throws(ModuleError) -> Bool {
        let flags = data.load(UInt32.self, at: 16) ?? 0
        let isLZX = flags & 0x40000 != 0
        guard isLZX || flags & 0x20000 != 0 else {
            child.flags |= EM_OBJECT_UNSUPPORTED
            return true
        }
        let stated = data.load(UInt32.self, at: 20) ?? 0
        let chunkSize = stated == 0 ? 32768 : Int(stated)
        guard chunkSize >= 4096, chunkSize <= 1 << 21, chunkSize & (chunkSize - 1) == 0, size < 1 << 48 else {
            return false
        }
        let count = (Int(size) + chunkSize - 1) / chunkSize
        let width = size >= 1 << 32 ? 8 : 4
        let table = (count - 1).multipliedReportingOverflow(by: width)
        guard !table.overflow, table.partialValue < packed.count else { return false }
        let chunks = packed.dropFirst(table.partialValue)
        func place(_ number: Int) -> Int {
            if number == 0 { return 0 }
            if number == count { return chunks.count }
            let at = (number - 1) * width
            let value =
                width == 8 ? packed.load(UInt64.self, at: at) : packed.load(UInt32.self, at: at).map { UInt64($0) }
            return Int(min(value ?? 0, UInt64(chunks.count)))
        }
        var isWhole = true
        for number in 0..<count {
            try scan.check()
            let chunk = chunks.slice(place(number), max(place(number), place(number + 1)))
            let wanted = min(chunkSize, Int(size) - number * chunkSize)
            let to = output.count + wanted
            let isGood: Bool
            if chunk.count >= wanted {
                isGood = try output.append(chunk.prefix(wanted))
            } else if isLZX {
                isGood = try expandLZX(chunk, wanted, window: chunkSize, into: &output)
            } else {
                isGood = try expandXPRESS(chunk, wanted, into: &output)
            }
            if output.stoppedBy != 0 { return false }
            guard !isGood else { continue }
            isWhole = false
            // Nothing of the chunks behind depends on this one.
            guard !chunk.isEmpty, output.count < to, try output.append(0, count: to - output.count) else {
                return false
            }
        }
        return isWhole
    }
}
