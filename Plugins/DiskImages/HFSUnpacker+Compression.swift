import BytesE
import CModuleABI
import ModuleKit
import Unpacking

/// Files that macOS keeps compressed (decmpfs): an attribute says how, and has the content, or the resource fork has it.
///
/// Apple has published the fields in the sources of its kernel (bsd/sys/decmpfs.h); the forms of the content are those that other
/// readers know.
extension HFSUnpacker {
    /// Where the content of such a file was.
    enum CompressedPlace {
        case attribute, resources, unknown
    }

    private enum Packing {
        case zlib, lzvn, lzfse

        /// By the kind of the compression; even ones have the content in the resource fork.
        init?(_ kind: UInt32) {
            switch kind {
            case 3, 4: self = .zlib
            case 7, 8: self = .lzvn
            case 11, 12: self = .lzfse
            default: return nil
            }
        }
    }

    /// Submits the content of such a file, and says where it was; nil when its forks are all that is known of it.
    func submitCompressed(_ file: HFSFile) throws(ModuleError) -> CompressedPlace? {
        guard let volume, let header = try attribute("com.apple.decmpfs", of: file.number),
            header.hasPrefix(ByteView("fpmc")), let kind = header.load(UInt32.self, at: 4),
            let size = header.load(UInt64.self, at: 8)
        else {
            found(EM_OBJECT_MALFORMED)
            return nil
        }
        let content = header.dropFirst(16)
        var child = Child()
        child.statedSize = size
        let packing = Packing(kind)
        let place: CompressedPlace =
            kind == 1 ? .attribute : packing == nil ? .unknown : kind & 1 == 0 ? .resources : .attribute
        var packed = Child()
        if place == .resources { try read(file.resources, of: file, isResources: true, volume, &packed) }
        child.flags |= packed.flags & (EM_OBJECT_TRUNCATED | EM_OBJECT_OVER_LIMIT)
        var output = try Output(scan, in: object, expected: Int(clamping: size))
        if let packing {
            if place == .resources {
                try expandBlocks(packed.data, packing, into: &output)
            } else {
                try expand(content, packing, into: &output)
            }
        } else if place == .attribute {
            _ = try output.append(content)
        }
        if place == .unknown {
            child.flags |= EM_OBJECT_UNSUPPORTED
        } else if UInt64(output.count) != size, output.stoppedBy == 0 {
            child.flags |= EM_OBJECT_MALFORMED
        }
        try close(&output, &child)
        try submit(child, name: name(of: file))
        return place
    }

    /// An attribute that stands in its tree; valid until the next is asked for.
    private func attribute(_ name: StaticString, of file: UInt32) throws(ModuleError) -> ByteView? {
        let wanted = ByteView(name)
        let found = try attributes?.find { key in
            guard let number = key.loadBigEndian(UInt32.self, at: 2), let count = key.loadBigEndian(UInt16.self, at: 10)
            else { return -1 }
            if number != file { return number < file ? -1 : 1 }
            for index in 0..<min(Int(count), wanted.count) {
                let letter = Int(key.loadBigEndian(UInt16.self, at: 12 + 2 * index) ?? 0)
                if letter != Int(wanted[index]) { return letter - Int(wanted[index]) }
            }
            return Int(count) - wanted.count
        }
        if attributes?.isOverLimit == true { overLimit(EM_BUDGET_OBJECTS) }
        // 0x10: what follows its size is the content.
        guard let found, found.loadBigEndian(UInt32.self, at: 0) == 0x10,
            let size = found.loadBigEndian(UInt32.self, at: 12)
        else { return nil }
        return found.dropFirst(16).prefix(Int(size))
    }

    /// One block: packed, or as it is behind a byte that no packed one begins with.
    private func expand(_ block: ByteView, _ packing: Packing, into output: inout Output) throws(ModuleError) {
        guard let first = block.buffer.first else { return }
        packedLeft -= block.count
        guard packedLeft > 0 else { return overLimit(EM_BUDGET_TOTAL) }
        switch packing {
        case .zlib where first & 15 != 15: _ = try inflateZlib(block, into: &output)
        case .lzvn where first != 6:
            _ = try expandLZVN(block, most: Self.blockSize, from: output.count, into: &output)
        case .lzfse where first == 0x62: _ = try expandLZFSE(block, into: &output)
        default: _ = try output.append(block.dropFirst(1))
        }
    }

    /// Unpacked bytes of each block but the last.
    private static let blockSize = 65_536

    /// The blocks of a resource fork: with zlib they are in its only resource, behind a table of places and sizes, otherwise
    /// behind a list of places.
    private func expandBlocks(_ fork: ByteView, _ packing: Packing, into output: inout Output) throws(ModuleError) {
        var resource = fork
        var count = 0
        if packing == .zlib {
            // Behind the size of the resource.
            guard let start = fork.loadBigEndian(UInt32.self, at: 0) else { return }
            resource = fork.dropFirst(Int(start) + 4)
            count = Int(resource.load(UInt32.self, at: 0) ?? 0)
        } else {
            count = Int(fork.load(UInt32.self, at: 0) ?? 0) / 4 - 1
        }
        for index in 0..<max(0, count) {
            try scan.check()
            let entry = packing == .zlib ? 4 + 8 * index : 4 * index
            guard let place = resource.load(UInt32.self, at: entry),
                let size = resource.load(UInt32.self, at: entry + 4),
                output.stoppedBy == 0, packedLeft > 0
            else { return }
            let end = packing == .zlib ? Int(place) + Int(size) : Int(size)
            try expand(resource.slice(Int(place), end), packing, into: &output)
        }
    }
}
