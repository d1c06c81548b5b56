import BytesE
import ModuleKit

/// One of the B-trees of HFS+: records that begin with their keys, in nodes of one size.
final class HFSTree {
    let nodeCount: Int
    private let root: Int
    private let nodeSize: Int
    private let scan: ScanContext
    private let volume: HFSVolume
    private let runs: [HFSRun]
    /// The first block of the tree in each run, and behind the last.
    private let starts: [Int]
    /// Where a node is put together that lies in several pieces; nil when none can.
    private let buffer: UnsafeMutableRawPointer?
    /// Such nodes cost more than their place says, and may be asked for again and again.
    private var copiesLeft = 1 << 16
    /// Something was not found because too much had been looked at.
    private(set) var isOverLimit = false

    private static let mostLevels = 16

    /// To be called when the object is opened: it may want memory for as long as that is.
    ///
    /// - Parameter runs: where it lies.
    init?(_ scan: ScanContext, _ volume: HFSVolume, _ runs: [HFSRun], size: UInt64) throws(ModuleError) {
        guard let first = runs.first else { return nil }
        // The first node begins with what is said of the tree.
        let header = volume.bytes(first)
        guard header.count >= 120, header[8] == 1, let size16 = header.loadBigEndian(UInt16.self, at: 32),
            size16 >= 512, size16 & (size16 - 1) == 0, let root = header.loadBigEndian(UInt32.self, at: 16),
            let nodes = header.loadBigEndian(UInt32.self, at: 36)
        else { return nil }
        self.nodeSize = Int(size16)
        self.root = Int(root)
        self.scan = scan
        self.volume = volume
        self.runs = runs
        // No more than the image has room for, though runs may lie over each other.
        nodeCount = Int(min(UInt64(nodes), size / UInt64(size16), UInt64(volume.data.count / Int(size16) + 1)))
        var starts = [0]
        for run in runs { starts.append((starts.last ?? 0) + run.count) }
        self.starts = starts
        buffer = try runs.count > 1 ? scan.allocate(Int(size16)) : nil
    }

    /// A node; valid until the next one is asked for. Nil when there is none, or not in the image.
    func node(_ number: Int) throws(ModuleError) -> HFSNode? {
        guard number < nodeCount else { return nil }
        let place = number * nodeSize
        let first = piece(at: place, most: nodeSize)
        if first.count == nodeSize { return HFSNode(first) }
        guard let to = buffer else { return nil }
        try scan.check()
        guard copiesLeft > 0 else {
            isOverLimit = true
            return nil
        }
        copiesLeft -= 1
        var count = 0
        while count < nodeSize {
            let piece = piece(at: place + count, most: nodeSize - count)
            guard let from = piece.buffer.baseAddress, !piece.isEmpty else { return nil }
            (to + count).copyMemory(from: from, byteCount: piece.count)
            count += piece.count
        }
        return HFSNode(ByteView(base: UnsafePointer(to.assumingMemoryBound(to: UInt8.self)), count: nodeSize))
    }

    /// Bytes of the tree that lie one behind another; none outside of it or of the image.
    private func piece(at place: Int, most: Int) -> ByteView {
        let block = place / volume.blockSize
        var low = 0
        var high = runs.count
        while low < high {
            let middle = (low + high) / 2
            if starts[middle + 1] <= block { low = middle + 1 } else { high = middle }
        }
        guard low < runs.count else { return ByteView() }
        let rest = HFSRun(start: runs[low].start + block - starts[low], count: starts[low + 1] - block)
        return volume.bytes(rest).dropFirst(place % volume.blockSize).prefix(most)
    }

    /// What stands behind the key in the record whose key is the wanted one; valid until the next is asked for.
    ///
    /// - Parameter order: how a key lies to the wanted one: below 0 before it, 0 is the same.
    func find(_ order: (_ key: ByteView) -> Int) throws(ModuleError) -> ByteView? {
        var number = root
        for _ in 0..<Self.mostLevels {
            guard let node = try node(number) else { return nil }
            // The last key that does not lie behind the wanted one.
            var low = 0
            var high = node.count
            while low < high {
                let middle = (low + high) / 2
                if order(node.key(middle)) <= 0 { low = middle + 1 } else { high = middle }
            }
            guard low > 0 else { return nil }
            let content = node.content(low - 1)
            if node.isLeaf { return order(node.key(low - 1)) == 0 ? content : nil }
            guard node.isIndex, let next = content.loadBigEndian(UInt32.self, at: 0) else { return nil }
            number = Int(next)
        }
        return nil
    }
}

/// A node of a tree.
struct HFSNode {
    private let bytes: ByteView
    /// How many records it has.
    let count: Int

    private static let headSize = 14

    init(_ bytes: ByteView) {
        self.bytes = bytes
        // Their places stand at its end.
        count = min(Int(bytes.loadBigEndian(UInt16.self, at: 10) ?? 0), (bytes.count - Self.headSize) / 2 - 1)
    }

    var isLeaf: Bool { bytes[8] == 0xff }
    var isIndex: Bool { bytes[8] == 0 }

    func record(_ number: Int) -> ByteView {
        guard let from = bytes.loadBigEndian(UInt16.self, at: bytes.count - 2 * (number + 1)),
            let to = bytes.loadBigEndian(UInt16.self, at: bytes.count - 2 * (number + 2)), from >= Self.headSize
        else { return ByteView() }
        return bytes.slice(Int(from), Int(to))
    }

    /// The key of a record, without its length.
    func key(_ number: Int) -> ByteView {
        let record = record(number)
        return record.slice(2, 2 + Int(record.loadBigEndian(UInt16.self, at: 0) ?? 0))
    }

    /// What stands behind the key.
    func content(_ number: Int) -> ByteView {
        let record = record(number)
        return record.dropFirst(2 + (Int(record.loadBigEndian(UInt16.self, at: 0) ?? 0) + 1) & ~1)
    }
}
