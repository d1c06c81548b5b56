import BytesE
import CModuleABI
import Libarchive
import ModuleKit
import Passwords
import Unpacking

/// Encrypted RAR archives of version 5 whose password the message or the configuration has: the same archive without
/// the encryption, which then is opened as any other. Headers are written anew with what is needed to unpack the files.
final class RARDecryption: Unpacker {
    private var isDone = false

    static var extractor: Extractor {
        Extractor(
            "RAR-ENCRYPTED",
            identify: { candidate in
                guard RARBlock.isArchive(candidate.data), isEncrypted(candidate.data) else { return nil }
                return Claim(.whole, sureness: 100, type: EM_TYPE_ARCHIVE)
            },
            open: { scan, object, _ throws(ModuleError) in RARDecryption(scan, object, format: "RAR") })
    }

    /// Whether one of the first blocks says so.
    private static func isEncrypted(_ data: ByteView) -> Bool {
        var position = RARBlock.signature.count
        for _ in 0..<8 {
            guard let block = RARBlock(data, at: position) else { return false }
            if block.kind == 4 || block.file?.encryption != nil { return true }
            position = block.end
        }
        return false
    }

    override func next() throws(ModuleError) -> Bool {
        guard !isDone, mayHaveChildren() else { return false }
        isDone = true
        guard let first = firstEncryption() else { return false }
        if try submitPlain(first) { return true }
        // Whoever reads the archive itself may not know that there is encryption.
        found(EM_OBJECT_ENCRYPTED)
        return false
    }

    /// Submits the archive without its encryption, when a password fits.
    private func submitPlain(_ first: RARCipher) throws(ModuleError) -> Bool {
        var work = mostRoundsOfObject
        for password in try passwords(for: object, scan, as: "CL_TYPE_RAR") {
            guard try mayTry(first.cost, scan, &work) else { return false }
            guard first.fits(password) else { continue }
            var output = try Output(scan, in: object, expected: data.count)
            guard try rewrite(password, into: &output) else { continue }
            try submitDecrypted(&output, with: password)
            return true
        }
        return false
    }

    private func firstEncryption() -> RARCipher? {
        var position = RARBlock.signature.count
        for _ in 0..<8 {
            guard let block = RARBlock(data, at: position) else { return nil }
            if let cipher = block.cipher ?? block.file?.encryption { return cipher }
            position = block.end
        }
        return nil
    }

    /// Writes the archive without its encryption; false when nothing came of it.
    private func rewrite(_ password: [UInt8], into output: inout Output) throws(ModuleError) -> Bool {
        var keys = RARKeys(password)
        var position = RARBlock.signature.count
        var headerKey: [UInt8]?
        var isAny = false
        // Solid; with encrypted headers that is not known yet, and does no harm where it is not so.
        let isSolid = RARBlock(data, at: position).map { $0.kind == 4 || $0.isSolid } ?? false
        let main: [UInt8] = [1, 0, isSolid ? 4 : 0]
        guard try output.append(RARBlock.signature), try append(RARWriter.block(main), &output) else { return false }
        while position < data.count, output.stoppedBy == 0 {
            try scan.check()
            let block: RARBlock
            if let headerKey {
                guard let (plain, end) = decryptedHeader(at: position, headerKey) else { break }
                let read = plain.withUnsafeBufferPointer { RARBlock(ByteView($0), at: 0, dataAt: end) }
                guard let read else { break }
                block = read
            } else {
                guard let read = RARBlock(data, at: position) else { break }
                block = read
            }
            position = block.end
            if block.kind == 5 { break }
            if block.kind == 4, let cipher = block.cipher {
                guard let key = keys.key(cipher) else { return false }
                headerKey = key
            }
            guard block.kind == 2, let file = block.file else { continue }
            let packed = data.slice(block.dataStart, block.end)
            if try write(file, packed, &keys, into: &output) { isAny = true }
        }
        _ = try append(RARWriter.block([5, 0, 0]), &output)
        return isAny
    }

    /// The header at a place, and where its data begins: a vector of 16 bytes, then whole blocks of AES.
    private func decryptedHeader(at position: Int, _ key: [UInt8]) -> (plain: [UInt8], end: Int)? {
        let vector = data.slice(position, position + 16)
        guard vector.count == 16,
            let head = RARCipher.decrypt(data.slice(position + 16, position + 32), key, vector.array)
        else { return nil }
        let size = head.withUnsafeBufferPointer { buffer -> Int? in
            var reader = RARReader(ByteView(buffer), 4)
            return reader.number().flatMap { $0 < 2 << 20 ? reader.position + Int($0) : nil }
        }
        guard let size else { return nil }
        let whole = (size + 15) & ~15
        let bytes = data.slice(position + 16, position + 16 + whole)
        guard bytes.count == whole, let plain = RARCipher.decrypt(bytes, key, vector.array) else { return nil }
        return (plain, position + 16 + whole)
    }

    /// Writes a file and its data, decrypted.
    private func write(
        _ file: RARFile, _ packed: ByteView, _ keys: inout RARKeys, into output: inout Output
    ) throws(ModuleError) -> Bool {
        var size = packed.count
        var key: [UInt8]?
        if let cipher = file.encryption {
            guard let found = keys.key(cipher) else { return false }
            key = found
            size &= ~15
        }
        // Behind the content stands padding, which readers take for damage. Stored content is as long as the file.
        if file.isStored, !file.isSizeUnknown {
            size = Int(min(UInt64(size), file.size))
        } else if let key, let cipher = file.encryption {
            size = try packedSize(packed.prefix(size), key, cipher.vector) ?? size
        }
        guard try append(file.rewritten(packedSize: UInt64(size)), &output) else { return false }
        guard let key, let cipher = file.encryption else { return try output.append(packed.prefix(size)) }
        _ = try decryptCBC(packed, key, cipher.vector, size: size, into: &output)
        return true
    }

    /// The size of packed content without padding: up to the block that is marked as the last. nil when there is none.
    private func packedSize(_ packed: ByteView, _ key: [UInt8], _ vector: [UInt8]) throws(ModuleError) -> Int? {
        var position = 0
        for _ in 0..<Self.mostBlocks {
            try scan.check()
            // Blocks of AES can be decrypted from anywhere, with the one before as the vector.
            let start = position & ~15
            let pair = packed.slice(start, start + 32)
            let before = start == 0 ? vector : packed.slice(start - 16, start).array
            guard let plain = RARCipher.decrypt(pair, key, before), position - start + 5 <= plain.count else {
                return nil
            }
            let head = plain[(position - start)...]
            // Flags, a checksum, the size in one to three bytes.
            let flags = head[head.startIndex]
            let width = Int(flags >> 3 & 3) + 1
            guard width <= 3 else { return nil }
            var size = 0
            for index in 0..<width { size |= Int(head[head.startIndex + 2 + index]) << (8 * index) }
            position += 2 + width + size
            guard position <= packed.count else { return nil }
            if flags & 0x40 != 0 { return position }
        }
        return nil
    }

    private static let mostBlocks = 100_000

    private func append(_ bytes: [UInt8], _ output: inout Output) throws(ModuleError) -> Bool {
        try bytes.span.withUnsafeBufferPointer { buffer throws(ModuleError) in try output.append(ByteView(buffer)) }
    }
}

/// The keys of one password by their salt.
private struct RARKeys {
    private let password: [UInt8]
    private var known: [(salt: [UInt8], power: UInt8, key: [UInt8])] = []

    init(_ password: [UInt8]) { self.password = password }

    mutating func key(_ cipher: RARCipher) -> [UInt8]? {
        if let hit = known.first(where: { $0.salt == cipher.salt && $0.power == cipher.power }) { return hit.key }
        // An archive has one salt, or few; a hostile one has many, each as costly as a trial.
        guard known.count < 16, let key = cipher.key(password) else { return nil }
        known.append((cipher.salt, cipher.power, key))
        return key
    }
}
