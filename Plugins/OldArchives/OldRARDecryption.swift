import BytesE
import CModuleABI
import Libarchive
import ModuleKit
import Passwords
import Unpacking

/// Encrypted RAR archives of version 3 and 4 whose password the message or the configuration has: the same archive
/// without the encryption, which then is opened as any other.
final class OldRARDecryption: Unpacker {
    private var isDone = false
    private var keys: [(salt: [UInt8], key: OldRARCipher.Key)] = []

    /// Files before the first that is encrypted, and those among which the smallest is looked for.
    private static let mostFiles = 64
    /// Packed bytes of one file on which passwords are tried.
    private static let mostProbed = 1 << 20
    /// An archive has one salt, or few; a hostile one has many, each as costly as a trial.
    private static let mostKeys = 16

    static var extractor: Extractor {
        Extractor(
            "RAR3-ENCRYPTED",
            identify: { candidate in
                guard OldRARBlock.isArchive(candidate.data), isEncrypted(candidate.data) else { return nil }
                return Claim(.whole, sureness: 100, type: EM_TYPE_ARCHIVE)
            },
            open: { scan, object, _ throws(ModuleError) in OldRARDecryption(scan, object, format: "RAR") })
    }

    private static func isEncrypted(_ data: ByteView) -> Bool {
        var position = OldRARBlock.signature.count
        for _ in 0..<Self.mostFiles {
            guard let block = OldRARBlock(data, at: position) else { return false }
            if block.hasHiddenHeaders || block.file?.isEncrypted == true { return true }
            position = block.end
        }
        return false
    }

    override func next() throws(ModuleError) -> Bool {
        guard !isDone, mayHaveChildren() else { return false }
        isDone = true
        guard let probe = probe() else {
            // A cipher from before version 2.9.
            found(EM_OBJECT_ENCRYPTED)
            return false
        }
        var work = mostRoundsOfObject
        for password in try passwords(for: object, scan, as: "CL_TYPE_RAR") {
            guard try mayTry(probe.cipher.cost(password), scan, &work) else { break }
            guard let key = probe.cipher.key(password), try fits(key, probe) else { continue }
            keys = [(probe.cipher.salt, key)]
            var output = try Output(scan, in: object, expected: data.count)
            guard try rewrite(password, into: &output) else { continue }
            try submitDecrypted(&output, with: password)
            return true
        }
        found(EM_OBJECT_ENCRYPTED)
        return false
    }

    // MARK: Trying

    /// What passwords are tried on.
    private struct Probe {
        let cipher: OldRARCipher
        /// nil: the headers are encrypted, which begin with `packed`.
        let file: OldRARFile?
        let packed: ByteView
    }

    /// The first header when headers are encrypted; else the smallest file, or the first where others depend on it.
    private func probe() -> Probe? {
        var position = OldRARBlock.signature.count
        var best: Probe?
        var isFirstOnly = false
        for _ in 0..<Self.mostFiles {
            guard let block = OldRARBlock(data, at: position) else { break }
            if block.hasHiddenHeaders {
                guard let cipher = OldRARCipher(salt: data.slice(block.end, block.end + 8)) else { return nil }
                return Probe(cipher: cipher, file: nil, packed: data.dropFirst(block.end + 8))
            }
            if block.isSolid { isFirstOnly = true }
            position = block.end
            // What begins in another volume has no beginning to look at, and an empty file proves nothing.
            guard let file = block.file, let cipher = file.cipher, !file.continuesOther, !file.goesOn, file.size > 0
            else { continue }
            let packed = data.slice(block.dataStart, block.end)
            if best.map({ packed.count < $0.packed.count }) ?? true {
                best = Probe(cipher: cipher, file: file, packed: packed)
            }
            if isFirstOnly { break }
        }
        return best
    }

    /// Whether what a key makes of the probe is what it should be.
    private func fits(_ key: OldRARCipher.Key, _ probe: Probe) throws(ModuleError) -> Bool {
        guard let file = probe.file else { return hiddenHeader(probe.packed, key) != nil }
        let whole = probe.packed.prefix(probe.packed.count & ~15)
        guard !file.isStored else {
            return try checksumCBC(whole, key.key, key.vector, size: Int(clamping: file.size), scan) == file.crc32
        }
        let packed = whole.prefix(Self.mostProbed)
        guard let plain = OldRARCipher.decrypt(packed, key) else { return false }
        let isWhole = packed.count == whole.count
        // An archive of this file alone; its checksum is looked at where its end is there.
        var archive = OldRARBlock.signature.array + oldArchiveHeader(isSolid: false)
        archive += file.rewritten(packedSize: UInt64(plain.count))
        archive += plain
        return try archive.span.withUnsafeBufferPointer { buffer throws(ModuleError) in
            try unpacks(ByteView(buffer), file, isWhole: isWhole)
        }
    }

    private func unpacks(_ archive: ByteView, _ file: OldRARFile, isWhole: Bool) throws(ModuleError) -> Bool {
        guard let reader = LibarchiveReader(scan, archive, .rar), try reader.next().outcome == .ready else {
            return false
        }
        let room = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 65536)
        defer { room.deallocate() }
        var sum: UInt32 = 0
        var count: UInt64 = 0
        while count < file.size {
            let (outcome, amount) = try reader.read(into: room)
            // Much that came out of a part is as good as the checksum.
            guard outcome == .ready, amount > 0 else { return !isWhole && count >= UInt64(Self.mostProbed) / 2 }
            let piece = ByteView(UnsafeBufferPointer(room)).prefix(Int(min(UInt64(amount), file.size - count)))
            sum = checksum(piece, after: sum)
            count += UInt64(amount)
        }
        return sum == file.crc32
    }

    // MARK: Writing

    /// Writes the archive without its encryption; false when nothing came of it.
    private func rewrite(_ password: [UInt8], into output: inout Output) throws(ModuleError) -> Bool {
        var position = OldRARBlock.signature.count
        var isHidden = false
        var isAny = false
        guard try output.append(OldRARBlock.signature),
            try append(oldArchiveHeader(isSolid: isSolidArchive), &output)
        else { return false }
        while position < data.count, output.stoppedBy == 0 {
            try scan.check()
            let block: OldRARBlock
            if isHidden {
                let salt = data.slice(position, position + 8)
                guard let cipher = OldRARCipher(salt: salt), let key = key(cipher, password),
                    let plain = hiddenHeader(data.dropFirst(position + 8), key)
                else { break }
                let end = position + 8 + (plain.count + 15) & ~15
                let read = plain.withUnsafeBufferPointer { OldRARBlock(ByteView($0), at: 0, dataAt: end) }
                guard let read else { break }
                block = read
            } else {
                guard let read = OldRARBlock(data, at: position) else { break }
                block = read
                if block.hasHiddenHeaders { isHidden = true }
            }
            position = block.end
            if block.kind == OldRARBlock.last { break }
            guard let file = block.file else { continue }
            if try write(file, data.slice(block.dataStart, block.end), password, into: &output) { isAny = true }
        }
        return isAny
    }

    private var isSolidArchive: Bool {
        OldRARBlock(data, at: OldRARBlock.signature.count)?.isSolid ?? false
    }

    /// Writes a file and its data, decrypted; false when it is one that cannot be.
    private func write(
        _ file: OldRARFile, _ packed: ByteView, _ password: [UInt8], into output: inout Output
    ) throws(ModuleError) -> Bool {
        guard file.isEncrypted else {
            guard try append(file.rewritten(packedSize: UInt64(packed.count)), &output) else { return false }
            return try output.append(packed)
        }
        guard let cipher = file.cipher, let key = key(cipher, password) else {
            found(EM_OBJECT_ENCRYPTED)
            return false
        }
        // Padding stands behind the content, which is as long as the file when it is stored.
        var left = packed.count & ~15
        if file.isStored { left = Int(min(UInt64(left), file.size)) }
        guard try append(file.rewritten(packedSize: UInt64(left)), &output) else { return false }
        _ = try decryptCBC(packed, key.key, key.vector, size: left, into: &output)
        return true
    }

    private func append(_ bytes: [UInt8], _ output: inout Output) throws(ModuleError) -> Bool {
        try bytes.span.withUnsafeBufferPointer { buffer throws(ModuleError) in try output.append(ByteView(buffer)) }
    }

    private func key(_ cipher: OldRARCipher, _ password: [UInt8]) -> OldRARCipher.Key? {
        if let hit = keys.first(where: { $0.salt == cipher.salt }) { return hit.key }
        guard keys.count < Self.mostKeys, let key = cipher.key(password) else { return nil }
        keys.append((cipher.salt, key))
        return key
    }

    /// A header that is encrypted from the first byte on, when its checksum fits.
    private func hiddenHeader(_ bytes: ByteView, _ key: OldRARCipher.Key) -> [UInt8]? {
        guard let head = OldRARCipher.decrypt(bytes.prefix(16), key), head.count == 16 else { return nil }
        let size = Int(head[5]) | Int(head[6]) << 8
        guard size >= 7 else { return nil }
        let whole = bytes.prefix((size + 15) & ~15)
        guard whole.count >= size, let plain = OldRARCipher.decrypt(whole, key) else { return nil }
        let header = Array(plain.prefix(size))
        let block = header.withUnsafeBufferPointer { OldRARBlock(ByteView($0), at: 0) }
        return block?.isSound == true ? header : nil
    }
}
