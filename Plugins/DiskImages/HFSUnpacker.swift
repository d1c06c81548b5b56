import BytesE
import CModuleABI
import MIMEE
import ModuleKit
import Unpacking

/// HFS+ and HFSX, the file systems of macOS before APFS: both forks of every file of the catalog. Hard links have no
/// content; what they lead to is a file of the catalog, too.
final class HFSUnpacker: Unpacker {
    private(set) var volume: HFSVolume?
    private var catalog: HFSTree?
    /// Further runs of files in many pieces.
    private var overflow: HFSTree?
    private(set) var attributes: HFSTree?
    /// The next node of the catalog. Leaves are read in the order of their places, so that none is hidden by a wrong tree.
    private var number = 0
    private var node: HFSNode?
    private var record = 0
    /// A file, and those of its forks that are still to be submitted.
    private var file: HFSFile?
    private var forks: [(fork: HFSFork, isResources: Bool)] = []
    /// Compressed bytes that may still be looked at: several files may name the same.
    var packedLeft = 0

    /// Runs of a tree.
    private static let mostRuns = 65_536

    static var extractor: Extractor {
        Extractor(
            "HFS-PLUS",
            identify: { HFSVolume($0.data) != nil ? Claim(.whole, sureness: 90, type: EM_TYPE_ARCHIVE) : nil },
            open: { scan, object, _ throws(ModuleError) in try HFSUnpacker(scan, object) })
    }

    init(_ scan: ScanContext, _ object: UnsafePointer<em_object>) throws(ModuleError) {
        super.init(scan, object, format: "HFS+")
        guard let volume = HFSVolume(data) else { return }
        self.volume = volume
        packedLeft = 4 * data.count + (16 << 20)
        overflow = try HFSTree(scan, volume, volume.overflow.runs, size: volume.overflow.size)
        catalog = try tree(volume.catalog, file: 4, volume)
        attributes = try tree(volume.attributes, file: 8, volume)
        if catalog == nil { found(EM_OBJECT_MALFORMED | EM_OBJECT_UNSUPPORTED) }
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        guard let volume, let catalog else { return false }
        while true {
            try scan.check()
            if let file = self.file, let (fork, isResources) = forks.popLast() {
                if try submit(fork, of: file, isResources: isResources, volume) { return true }
                continue
            }
            guard let leaf = node, record < leaf.count else {
                guard number < catalog.nodeCount else { return false }
                record = 0
                node = try readLeaf(number, of: catalog)
                number += 1
                continue
            }
            record += 1
            guard let file = HFSFile(leaf.record(record - 1)) else { continue }
            self.file = file
            forks = [(file.resources, true), (file.content, false)]
            guard file.isCompressed, let place = try submitCompressed(file) else { continue }
            if place == .resources { forks.removeFirst() }
            return true
        }
    }

    private func tree(_ fork: HFSFork, file: UInt32, _ volume: HFSVolume) throws(ModuleError) -> HFSTree? {
        var runs = fork.runs
        var blocks = runs.reduce(0) { $0 + $1.count }
        while blocks < Int(fork.blockCount), runs.count < Self.mostRuns {
            let more = try furtherRuns(of: file, isResources: false, from: blocks)
            guard !more.isEmpty else { break }
            runs += more
            blocks += more.reduce(0) { $0 + $1.count }
        }
        return try HFSTree(scan, volume, runs, size: fork.size)
    }

    private func readLeaf(_ number: Int, of catalog: HFSTree) throws(ModuleError) -> HFSNode? {
        guard let node = try catalog.node(number) else {
            if catalog.isOverLimit { overLimit(EM_BUDGET_OBJECTS) }
            found(EM_OBJECT_TRUNCATED)
            return nil
        }
        return node.isLeaf ? node : nil
    }

    /// Runs of a fork behind those that are known, eight at most.
    ///
    /// - Parameter block: the first block of the fork that is not known.
    private func furtherRuns(of file: UInt32, isResources: Bool, from block: Int) throws(ModuleError) -> [HFSRun] {
        guard let overflow else { return [] }
        // By the file, then its fork, then the first block.
        let fork = isResources ? 0xff : 0
        let found = try overflow.find { key in
            guard let number = key.loadBigEndian(UInt32.self, at: 2), let start = key.loadBigEndian(UInt32.self, at: 6)
            else { return -1 }
            if number != file { return number < file ? -1 : 1 }
            if Int(key[0]) != fork { return Int(key[0]) - fork }
            return Int(start) - block
        }
        if overflow.isOverLimit { overLimit(EM_BUDGET_OBJECTS) }
        return found.map { HFSRun.list($0, at: 0) } ?? []
    }

    /// Submits a fork; whether there was something.
    private func submit(
        _ fork: HFSFork, of file: HFSFile, isResources: Bool, _ volume: HFSVolume
    ) throws(ModuleError) -> Bool {
        guard fork.size > 0 else { return false }
        var child = Child()
        child.statedSize = fork.size
        try read(fork, of: file, isResources: isResources, volume, &child)
        guard !child.data.isEmpty else {
            found(child.flags)
            return false
        }
        try submit(child, name: name(of: file) + (isResources ? [0x3a, 0x72, 0x73, 0x72, 0x63] : []))
        return true
    }

    /// The name as UTF-8.
    func name(of file: HFSFile) -> [UInt8] { Charset.utf16BigEndian.decode(file.name) }

    /// Reads a fork: in place when it has one run.
    func read(
        _ fork: HFSFork, of file: HFSFile, isResources: Bool, _ volume: HFSVolume, _ child: inout Child
    ) throws(ModuleError) {
        if let run = fork.runs.first, fork.size <= UInt64(run.count) * UInt64(volume.blockSize) {
            child.data = volume.bytes(run).prefix(Int(clamping: fork.size))
            child.offset = UInt64(volume.base + run.start * volume.blockSize)
            child.extent = UInt64(child.data.count)
            child.flags |= EM_OBJECT_IN_PLACE
            if UInt64(child.data.count) < fork.size { child.flags |= EM_OBJECT_TRUNCATED }
            return
        }
        var output = try Output(scan, in: object, expected: Int(clamping: min(fork.size, UInt64(data.count))))
        var left = Int(clamping: fork.size)
        var runs = fork.runs[...]
        var blocks = 0
        while left > 0 {
            try scan.check()
            if runs.isEmpty { runs = try furtherRuns(of: file.number, isResources: isResources, from: blocks)[...] }
            guard let run = runs.popFirst() else { break }
            blocks += run.count
            let wanted = min(left, run.count * volume.blockSize)
            let piece = volume.bytes(run).prefix(wanted)
            guard try output.append(piece) else { break }
            left -= piece.count
            guard piece.count == wanted else { break }
        }
        if left > 0, output.stoppedBy == 0 { child.flags |= EM_OBJECT_TRUNCATED }
        try close(&output, &child)
    }
}
