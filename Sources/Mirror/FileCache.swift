import Bytes
import Platform
import Synchronization

/// The files that were asked for last, by the target as it was sent: each is looked at again on the disk once a second.
final class FileCache: Sendable {
    private struct Entry {
        let target: [UInt8]
        let file: StoredFile
        var lookedAt: UInt64
    }

    /// Nanoseconds.
    private static let patience: UInt64 = 1_000_000_000
    /// Entries, each of which holds up to two descriptors.
    private static let limit = 2_048
    /// Bytes of small files.
    private static let memory = 32 << 20

    private let root: DocumentRoot
    private let sharesFiles: Bool
    private let entries = Mutex<(byHash: [UInt64: Entry], bytes: Int)>(([:], 0))

    init(_ root: DocumentRoot, sharesFiles: Bool) {
        self.root = root
        self.sharesFiles = sharesFiles
    }

    /// The file that a target names, as it is on the disk or was a moment ago; nil when there is none.
    func file(_ target: ByteView) -> StoredFile? {
        let hash = FileCache.hash(target)
        let now = Clock.now
        let known = entries.withLock { entries -> Entry? in
            guard let entry = entries.byHash[hash], FileCache.equal(entry.target, target) else { return nil }
            return entry
        }
        if let known, now &- known.lookedAt < FileCache.patience { return known.file }
        guard let path = RequestTarget.path(target), let (descriptor, status) = root.open(path) else {
            if known != nil { entries.withLock { FileCache.remove(hash, &$0) } }
            return nil
        }
        let realtime = Clock.realtime
        let file: StoredFile
        if let known, known.file.isStill(status, now: realtime) {
            file = known.file
        } else {
            file = StoredFile(
                path: path, file: descriptor, status: status, sharesFiles: sharesFiles, now: realtime)
        }
        let entry = Entry(target: target.array, file: file, lookedAt: now)
        entries.withLock { entries in
            FileCache.remove(hash, &entries)
            if entries.byHash.count >= FileCache.limit || entries.bytes + file.footprint > FileCache.memory {
                FileCache.makeRoom(now, &entries)
            }
            entries.byHash[hash] = entry
            entries.bytes += file.footprint
        }
        return file
    }

    private static func remove(_ hash: UInt64, _ entries: inout (byHash: [UInt64: Entry], bytes: Int)) {
        guard let old = entries.byHash.removeValue(forKey: hash) else { return }
        entries.bytes -= old.file.footprint
    }

    /// Drops what nobody asked for within the last second; when that is too little, everything.
    private static func makeRoom(_ now: UInt64, _ entries: inout (byHash: [UInt64: Entry], bytes: Int)) {
        let kept = entries.byHash.filter { now &- $0.value.lookedAt < patience }
        let bytes = kept.values.reduce(0) { $0 + $1.file.footprint }
        entries = kept.count <= limit / 2 && bytes <= memory / 2 ? (kept, bytes) : ([:], 0)
    }

    /// Drops files that nobody asked for lately, so that those that were removed give their space back.
    func expire() {
        let now = Clock.now
        entries.withLock { entries in
            for (hash, entry) in entries.byHash where now &- entry.lookedAt > 30 * FileCache.patience {
                FileCache.remove(hash, &entries)
            }
        }
    }

    /// FNV-1a. Targets that collide on purpose only push each other out.
    private static func hash(_ bytes: ByteView) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes.buffer { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return hash
    }

    private static func equal(_ known: [UInt8], _ target: ByteView) -> Bool {
        known.count == target.count && known.elementsEqual(target.buffer)
    }
}
