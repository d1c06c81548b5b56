import CCrypto
import Glibc
import Platform
import ScanClient
import Synchronization

/// Remembers which contents were clean, by a digest that nobody outside can compute, and for one generation of modules
/// only. Its memory is bounded; a new configuration begins with an empty one.
final class CleanCache: Sendable {
    /// A digest of content and name.
    struct Key: Sendable, Hashable {
        let high: UInt64
        let low: UInt64
    }

    private struct Entry {
        var key = Key(high: 0, low: 0)
        /// 0: empty.
        var generation: UInt64 = 0
    }

    /// Places in which one key may be.
    private static let ways = 4
    /// Larger objects are not hashed: scanning them is not what costs.
    static let largest: UInt64 = 256 << 20

    private let secret: [UInt8]
    private let entries: Mutex<[Entry]>
    private let mask: UInt64

    /// - Parameter count: entries, of 24 bytes each; rounded up to a power of two.
    init(count: Int) {
        var size = CleanCache.ways
        while size < count { size *= 2 }
        entries = Mutex([Entry](repeating: Entry(), count: size))
        mask = UInt64(size / CleanCache.ways - 1)
        var secret = [UInt8](repeating: 0, count: 32)
        // Without randomness anybody could look for two contents with one key.
        precondition(CCrypto_random(&secret, secret.count) == 1, "no random numbers")
        self.secret = secret
    }

    /// Whether this content was clean for these modules.
    func contains(_ key: Key, generation: UInt64) -> Bool {
        guard generation != 0 else { return false }
        return entries.withLock { entries in
            places(key).contains { entries[$0].generation == generation && entries[$0].key == key }
        }
    }

    /// Remembers it, in place of an entry of an older generation or of any.
    func insert(_ key: Key, generation: UInt64) {
        guard generation != 0 else { return }
        entries.withLock { entries in
            let places = places(key)
            let place =
                places.first { entries[$0].key == key } ?? places.first { entries[$0].generation != generation }
                ?? places.lowerBound + Int(truncatingIfNeeded: key.low >> 32) % CleanCache.ways
            entries[place] = Entry(key: key, generation: generation)
        }
    }

    private func places(_ key: Key) -> Range<Int> {
        let begin = Int(key.high & mask) * CleanCache.ways
        return begin..<begin + CleanCache.ways
    }

    /// What to scan, and the key of exactly that.
    struct Prepared: Sendable {
        let target: ScanTarget
        let key: Key
    }

    /// Makes a key, and a copy of what could change: what is scanned must be what was hashed. Blocks on the disk.
    ///
    /// - Returns: nil when it is too large or cannot be read.
    func prepare(_ target: ScanTarget, spool: String) -> Prepared? {
        guard target.size <= CleanCache.largest, let hash = CCrypto_hash_new(Int32(CCRYPTO_SHA256)) else { return nil }
        defer { CCrypto_hash_free(hash) }
        // The name counts, too: some heuristics look at it.
        let head = secret + Array(Files.name(of: target.name).utf8) + [0]
        guard CCrypto_hash_update(hash, head, head.count) == 1 else { return nil }
        switch target {
        case .content(let bytes, _):
            guard CCrypto_hash_update(hash, bytes, bytes.count) == 1 else { return nil }
            return key(hash).map { Prepared(target: target, key: $0) }
        case .object(let object, let isForeign):
            guard let copy = read(object, into: hash, copies: isForeign ? spool : nil), let key = key(hash) else {
                return nil
            }
            return Prepared(target: copy, key: key)
        }
    }

    /// Hashes an object and copies it, if that is wished.
    private func read(_ object: ScanObject, into hash: OpaquePointer, copies spool: String?) -> ScanTarget? {
        var copy = spool.map { StreamCollector(directory: $0) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
        defer { buffer.deallocate() }
        var offset: UInt64 = 0
        do throws(SystemError) {
            while offset < object.size {
                let want = Int(min(UInt64(buffer.count), object.size - offset))
                let room = UnsafeMutableRawBufferPointer(rebasing: buffer[..<want])
                let count = try object.descriptor.read(at: offset, into: room)
                guard count > 0 else { return nil }
                let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                guard CCrypto_hash_update(hash, piece.baseAddress, count) == 1 else { return nil }
                try copy?.append(piece)
                offset += UInt64(count)
            }
            return try copy?.finish(name: object.name) ?? .object(object, isForeign: false)
        } catch {
            return nil
        }
    }

    private func key(_ hash: OpaquePointer) -> Key? {
        var digest = [UInt8](repeating: 0, count: 32)
        guard CCrypto_hash_final(hash, &digest) == 1 else { return nil }
        return digest.withUnsafeBytes {
            Key(
                high: $0.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
                low: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
    }
}
