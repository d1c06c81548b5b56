import BytesE
import CModuleABI
import MIMEE
import ModuleKit
import Unpacking

/// The FAT file systems of 12, 16 and 32 bits ("FAT: General Overview of On-Disk Format" 1.03), with long names.
final class FATUnpacker: Unpacker {
    private let volume: FATVolume
    /// The directories on the way down to where the walk is.
    private var directories: [Directory] = []
    /// Directory entries that may still be looked at: directories that hold each other would never end.
    private var entriesLeft = 1 << 20
    private var isStarted = false

    private static let deepest = 32

    /// A directory that is being read.
    private struct Directory {
        /// The current cluster, or 0 in the root of FAT12 and FAT16.
        var cluster: Int
        /// Where the current cluster, or the root, lies.
        var range: Range<Int>
        var position: Int
        /// Clusters that may still follow.
        var left: Int
        var longName: [UInt8] = []
    }

    private init(
        _ scan: ScanContext, _ object: UnsafePointer<em_object>, format: StaticString, _ volume: FATVolume
    ) {
        self.volume = volume
        super.init(scan, object, format: format)
    }

    static var extractor: Extractor {
        Extractor(
            "FAT",
            identify: {
                FATVolume($0.data) != nil ? Claim(.whole, sureness: 85, type: EM_TYPE_ARCHIVE) : nil
            },
            open: { scan, object, _ throws(ModuleError) in
                guard let volume = FATVolume(ByteView(object.pointee.data)) else { throw ModuleError(EM_E_UNSUPPORTED) }
                return FATUnpacker(scan, object, format: "FAT", volume)
            })
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        if !isStarted {
            isStarted = true
            if volume.bits == 32 {
                enter(volume.rootCluster)
            } else {
                directories = [Directory(cluster: 0, range: volume.root, position: volume.root.lowerBound, left: 0)]
            }
        }
        while let entry = try nextEntry() {
            guard !directories.isEmpty else { break }
            let depth = directories.count - 1
            let attributes = data[entry + 11]
            if attributes & 0x3f == 0x0f {
                addLongName(entry, &directories[depth])
                continue
            }
            let longName = directories[depth].longName
            directories[depth].longName = []
            let first = data[entry]
            // Deleted, a label of the volume, or "." and "..".
            if first == 0xe5 || first == 0x2e || attributes & 0x08 != 0 { continue }
            let low = Int(data.load(UInt16.self, at: entry + 26) ?? 0)
            let high = volume.bits == 32 ? Int(data.load(UInt16.self, at: entry + 20) ?? 0) : 0
            let cluster = high << 16 | low
            if attributes & 0x10 != 0 {
                if depth + 1 < Self.deepest { enter(cluster) } else { overLimit(EM_BUDGET_DEPTH) }
                continue
            }
            let size = Int(data.load(UInt32.self, at: entry + 28) ?? 0)
            guard size > 0 else { continue }
            try submitFile(cluster, size, longName.isEmpty ? shortName(entry) : longName)
            return true
        }
        return false
    }

    // MARK: Directories

    private func enter(_ cluster: Int) {
        guard let range = volume.range(of: cluster) else { return found(EM_OBJECT_MALFORMED) }
        directories.append(
            Directory(cluster: cluster, range: range, position: range.lowerBound, left: 65536))
    }

    /// The place of the next entry of the innermost directory that has one.
    private func nextEntry() throws(ModuleError) -> Int? {
        while !directories.isEmpty {
            let depth = directories.count - 1
            let directory = directories[depth]
            if directory.position + 32 <= min(directory.range.upperBound, data.count) {
                entriesLeft -= 1
                guard entriesLeft > 0 else {
                    overLimit(EM_BUDGET_OBJECTS)
                    return nil
                }
                if entriesLeft & 0xff == 0 { try scan.check() }
                directories[depth].position += 32
                if data[directory.position] != 0 { return directory.position }
                directories.removeLast()
                continue
            }
            guard directory.cluster != 0, directory.left > 0, let following = volume.next(after: directory.cluster),
                let range = volume.range(of: following)
            else {
                directories.removeLast()
                continue
            }
            try scan.check()
            directories[depth].cluster = following
            directories[depth].range = range
            directories[depth].position = range.lowerBound
            directories[depth].left -= 1
        }
        return nil
    }

    /// Pieces of a long name stand before its entry, the last first: 13 characters of UTF-16 each.
    private func addLongName(_ entry: Int, _ directory: inout Directory) {
        if data[entry] & 0x40 != 0 { directory.longName = [] }
        guard directory.longName.count < 1024 else { return }
        var units: [UInt8] = []
        for index in 0..<13 {
            let place = index < 5 ? 1 + 2 * index : index < 11 ? 14 + 2 * (index - 5) : 28 + 2 * (index - 11)
            let low = data[entry + place]
            let high = data[entry + place + 1]
            if low == 0 && high == 0 { break }
            units.append(low)
            units.append(high)
        }
        let piece = units.withUnsafeBufferPointer { Charset.utf16LittleEndian.decode(ByteView($0)) }
        directory.longName = piece + directory.longName
    }

    private func shortName(_ entry: Int) -> [UInt8] {
        var name: [UInt8] = []
        let isLowerName = data[entry + 12] & 0x08 != 0
        let isLowerEnding = data[entry + 12] & 0x10 != 0
        for index in 0..<11 where data[entry + index] != 0x20 {
            if index >= 8 && (name.isEmpty || !hasDot(name)) { name.append(0x2e) }
            let byte = index == 0 && data[entry] == 0x05 ? 0xe5 : data[entry + index]
            name.append((index < 8 ? isLowerName : isLowerEnding) ? asciiLowercased(byte) : byte)
        }
        return name.withUnsafeBufferPointer { Charset.codePage437.decode(ByteView($0)) }
    }

    private func hasDot(_ name: [UInt8]) -> Bool { name.contains(0x2e) }

    // MARK: Files

    /// In place when the clusters lie one behind another, which they mostly do.
    private func submitFile(_ cluster: Int, _ size: Int, _ name: [UInt8]) throws(ModuleError) {
        var child = Child()
        child.statedSize = UInt64(size)
        guard let first = volume.range(of: cluster) else {
            child.flags |= EM_OBJECT_MALFORMED
            return try submit(child, name: name)
        }
        let wanted = (size + volume.clusterSize - 1) / volume.clusterSize
        var last = cluster
        var count = 1
        while count < wanted, let following = volume.next(after: last), following == last + 1 {
            last = following
            count += 1
            if count & 0xfff == 0 { try scan.check() }
        }
        child.offset = UInt64(first.lowerBound)
        if count == wanted {
            child.data = data.dropFirst(first.lowerBound).prefix(size)
            child.extent = UInt64(child.data.count)
            child.flags |= EM_OBJECT_IN_PLACE
            if child.data.count < size { child.flags |= EM_OBJECT_TRUNCATED }
            return try submit(child, name: name)
        }
        var output = try Output(scan, in: object, expected: size)
        var current: Int? = cluster
        var left = size
        while left > 0, let place = current.flatMap({ volume.range(of: $0) }) {
            let part = data.slice(place.lowerBound, place.upperBound).prefix(left)
            guard !part.isEmpty, try output.append(part) else { break }
            left -= part.count
            try scan.check()
            current = current.flatMap { volume.next(after: $0) }
        }
        if left > 0, output.stoppedBy == 0 { child.flags |= EM_OBJECT_TRUNCATED }
        try close(&output, &child)
        try submit(child, name: name)
    }
}
