import BytesE
import CModuleABI
import Libarchive
import ModuleKit
import Passwords
import Streams
import Unpacking

/// Encrypted 7z archives whose password the message or the configuration has: the same archive without the encryption,
/// which then is opened as any other.
///
/// The packed streams are decrypted, and the header is written anew without the coder of the encryption; what it says
/// about files stays as it is.
final class SevenZipDecryption: Unpacker {
    private var isDone = false
    /// Archives that were written with a password that did not fit.
    private var trials = 0

    /// Each costs memory and time for the whole archive; for a small one the cost of the keys is the limit.
    private var mostTrials: Int { data.count < 1 << 20 ? 16 : 8 }

    private lazy var keys = SevenZipKeys(scan)

    static var extractor: Extractor {
        Extractor(
            "7Z-ENCRYPTED",
            identify: { candidate in
                guard SevenZipFile.isOne(candidate.data), let header = SevenZipFile(candidate.data).header,
                    usesEncryption(header.prefix(65536))
                else { return nil }
                return Claim(.whole, sureness: 100, type: EM_TYPE_ARCHIVE)
            },
            open: { scan, object, _ throws(ModuleError) in SevenZipDecryption(scan, object, format: "7Z") })
    }

    private var file: SevenZipFile { SevenZipFile(data) }

    /// Whether the coder of AES-256 with SHA-256 is named, by a byte of flags and four of its number.
    private static func usesEncryption(_ header: ByteView) -> Bool {
        var index = 0
        while let hit = header.firstIndex(of: 0xf1, from: index) {
            if hit > 0, header[hit - 1] == 0x06, header.slice(hit + 1, hit + 3).equals(ByteView("\u{7}\u{1}")) {
                return true
            }
            index = hit + 1
        }
        return false
    }

    override func next() throws(ModuleError) -> Bool {
        guard !isDone, mayHaveChildren(), let header = file.header, !header.isEmpty else { return false }
        isDone = true
        // A header that is packed and encrypted itself, or plain with encrypted folders.
        let isPacked = header[0] == 0x17
        guard isPacked || header[0] == 1 && header.count > 1 && header[1] == 4,
            let streams = SevenZipStreams(header, from: isPacked ? 1 : 2),
            streams.folders.contains(where: { $0.isEncrypted })
        else { return false }
        for password in try passwords(for: object, scan, as: "CL_TYPE_7Z") {
            guard trials < mostTrials, !keys.isSpent else { return false }
            keys.password = password
            if isPacked {
                guard let plain = try unpackedHeader(streams), !plain.isEmpty else { continue }
                guard plain[0] == 1, plain.count > 1, plain[1] == 4, let inner = SevenZipStreams(plain, from: 2),
                    try submit(inner, plain, isSure: true)
                else { continue }
            } else {
                guard try submit(streams, header, isSure: false) else { continue }
            }
            noteFitting(password, object, scan)
            scan.notes?.opened.append(object.pointee.id)
            return true
        }
        return false
    }

    /// The folder's encryption taken out: the folder without it, and the packed stream that it was over. Nil when it has
    /// another shape than one coder at the packed end.
    private static func opened(
        _ folder: SevenZipStreams.Folder
    ) -> (folder: SevenZipStreams.Folder, cipher: SevenZipCipher, size: UInt64)? {
        guard folder.packed.count == 1, folder.coders.allSatisfy({ $0.inputs == 1 && $0.outputs == 1 }),
            SevenZipMethod(folder.coders[folder.packed[0]].id) == .aes,
            let cipher = SevenZipCipher(folder.coders[folder.packed[0]].properties)
        else { return nil }
        let place = folder.packed[0]
        var result = folder
        let size = folder.sizes[place]
        guard folder.coders.count > 1 else {
            // Nothing but encryption: stored.
            result.coders[0] = .init(id: ByteView("\0"), properties: ByteView())
            return (result, cipher, size)
        }
        guard let user = folder.bonds.first(where: { $0.output == place }) else { return nil }
        func moved(_ number: Int) -> Int { number > place ? number - 1 : number }
        result.coders.remove(at: place)
        result.sizes.remove(at: place)
        result.bonds = folder.bonds.filter { $0.output != place }.map { (moved($0.input), moved($0.output)) }
        result.packed = [moved(user.input)]
        return (result, cipher, size)
    }

    /// The header that lies packed and encrypted before itself; nil when the password is wrong.
    private func unpackedHeader(
        _ streams: SevenZipStreams
    ) throws(ModuleError) -> ByteView? {
        guard streams.folders.count == 1, streams.sizes.count == 1,
            let (folder, cipher, size) = Self.opened(streams.folders[0]),
            folder.coders.count == 1, let wanted = folder.sizes.first, wanted < 64 << 20
        else { return nil }
        let packed = file.packed(streams.position, streams.sizes[0])
        guard let key = try keys.key(cipher) else { return nil }
        var plain = try Output(scan, in: object, expected: packed.count)
        guard try cipher.decrypt(packed, key, size: size, into: &plain) else { return nil }
        let bytes = try plain.finish()
        let coder = folder.coders[0]
        guard coder.id.count == 3, coder.properties.count == 5 else {
            return folder.crc32 == nil || checksum(bytes) == folder.crc32 ? bytes : nil
        }
        // LZMA begins with a zero; most wrong passwords end here.
        guard bytes.count > 1, bytes[0] == 0 else { return nil }
        var joined = try Output(scan, in: object, expected: bytes.count + 5)
        guard try joined.append(coder.properties), try joined.append(bytes) else { return nil }
        let stream = try joined.finish()
        var output = try Output(scan, in: object, expected: Int(wanted))
        _ = try expandLZMA(stream, most: Int(wanted), into: &output)
        let header = try output.finish()
        guard header.count == Int(wanted), folder.crc32 == nil || checksum(header) == folder.crc32 else { return nil }
        return header
    }

    /// Submits the archive without its encryption; false when the password does not fit.
    ///
    /// - Parameters:
    ///   - header: plain; what stands behind the folders is taken over.
    ///   - isSure: the password is known to be right.
    private func submit(
        _ streams: SevenZipStreams, _ header: ByteView, isSure: Bool
    ) throws(ModuleError) -> Bool {
        if !isSure, try !checksumFits(streams) { return false }
        // Only the newest memory grows: first what has to be unpacked.
        guard let contents = try contents(streams) else { return false }
        var archive = try Output(scan, in: object, expected: data.count)
        guard try archive.append(0, count: SevenZipWriter.startSize) else { return false }
        var writer = SevenZipWriter()
        var folders: [SevenZipStreams.Folder] = []
        var sizes: [UInt64] = []
        var position = streams.position
        var stream = 0
        var isFirst = true
        for (number, folder) in streams.folders.enumerated() {
            let start = archive.count
            guard stream + folder.packed.count <= streams.sizes.count else { return false }
            let opened = Self.opened(folder)
            if let content = contents[number] {
                for size in streams.sizes[stream..<(stream + folder.packed.count)] { position &+= size }
                stream += folder.packed.count
                guard try archive.append(content) else { return false }
                folders.append(folder.stored(content))
                sizes.append(UInt64(content.count))
                isFirst = false
                continue
            }
            for _ in folder.packed {
                let packed = file.packed(position, streams.sizes[stream])
                position &+= streams.sizes[stream]
                stream += 1
                guard let opened else {
                    guard try archive.append(packed) else { return false }
                    sizes.append(UInt64(packed.count))
                    continue
                }
                guard let key = try keys.key(opened.cipher) else { return false }
                if isFirst, !isSure,
                    !opened.cipher.looksRight(packed, key, opened.folder.coders[opened.folder.packed[0]])
                {
                    return false
                }
                isFirst = false
                guard try opened.cipher.decrypt(packed, key, size: opened.size, into: &archive) else { break }
                sizes.append(UInt64(archive.count - start))
            }
            folders.append(opened?.folder ?? folder)
        }
        guard sizes.count == folders.reduce(0, { $0 + $1.packed.count }) else { return false }
        writer.streams(folders, sizes)
        writer.append(header.dropFirst(streams.rest))
        // Those of `contents` are counted there.
        if contents.allSatisfy({ $0 == nil }) { trials += 1 }
        return try finish(&archive, writer, isSure: isSure)
    }

    /// Whether the first folder, when it is stored, has the checksum that is stated; of others nothing is said.
    private func checksumFits(_ streams: SevenZipStreams) throws(ModuleError) -> Bool {
        guard let folder = streams.folders.first, let stated = folder.crc32 ?? folder.fileCRC32,
            let opened = Self.opened(folder), opened.folder.coders.count == 1,
            SevenZipMethod(opened.folder.coders[0].id) == .copy, let size = streams.sizes.first,
            let key = try keys.key(opened.cipher)
        else { return true }
        return try opened.cipher.checksum(file.packed(streams.position, size), key, size: opened.size, scan) == stated
    }

    /// What folders hold that libarchive would not read without their encryption either, nil for the others; nothing when
    /// the password does not fit.
    private func contents(_ streams: SevenZipStreams) throws(ModuleError) -> [ByteView?]? {
        let mark = scan.services.memory.pointee.mark(scan.handle)
        if let contents = try triedContents(streams) { return contents }
        scan.services.memory.pointee.release(scan.handle, mark)
        return nil
    }

    private func triedContents(_ streams: SevenZipStreams) throws(ModuleError) -> [ByteView?]? {
        // Of another shape than `opened` takes, they cannot be handed on.
        let isUnpacked = SevenZipCoders.unpacked(
            streams.folders.map { Self.opened($0)?.folder ?? SevenZipStreams.Folder() }, scan, object)
        var result: [ByteView?] = []
        var stream = 0
        var position = streams.position
        for (number, folder) in streams.folders.enumerated() {
            guard stream + folder.packed.count <= streams.sizes.count else { return nil }
            var packed: [ByteView] = []
            for size in streams.sizes[stream..<(stream + folder.packed.count)] {
                packed.append(file.packed(position, size))
                position &+= size
            }
            stream += folder.packed.count
            guard folder.isEncrypted, isUnpacked[number] else {
                result.append(nil)
                continue
            }
            guard try looksRight(folder, packed) else { return nil }
            trials += 1
            var coders = SevenZipCoders(scan, object, folder, packed)
            coders.keys = keys
            let stated = folder.crc32 ?? folder.fileCRC32
            guard let content = try coders.content(), stated == nil || checksum(content) == stated else { return nil }
            result.append(content)
        }
        return result
    }

    /// Whether the streams that lie encrypted in a folder begin as what they go to would begin.
    private func looksRight(
        _ folder: SevenZipStreams.Folder, _ packed: [ByteView]
    ) throws(ModuleError) -> Bool {
        guard folder.coders.allSatisfy({ $0.outputs == 1 }), folder.sizes.count == folder.coders.count else {
            return false
        }
        for (place, input) in folder.packed.enumerated() {
            guard let number = folder.coder(of: input), SevenZipMethod(folder.coders[number].id) == .aes,
                !packed[place].isEmpty, folder.sizes[number] > 0,
                let bond = folder.bonds.first(where: { $0.output == number }), let user = folder.coder(of: bond.input)
            else { continue }
            guard let cipher = SevenZipCipher(folder.coders[number].properties), let key = try keys.key(cipher),
                cipher.looksRight(packed[place], key, folder.coders[user])
            else { return false }
        }
        return true
    }

    /// Whether the first file of the archive is what its checksum says.
    private func isRight(_ archive: ByteView) throws(ModuleError) -> Bool {
        guard let reader = LibarchiveReader(scan, archive, .sevenZip), try reader.next().outcome == .ready else {
            return false
        }
        let room = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 65536)
        defer { room.deallocate() }
        var left = archive.count * 64
        while left > 0 {
            let (outcome, count) = try reader.read(into: room)
            if outcome == .end { return true }
            // A wrong checksum is told in place of bytes.
            guard outcome == .ready, count > 0 else { return false }
            left -= count
        }
        return true
    }

    /// Writes the header behind the streams, and the start header before them.
    private func finish(
        _ archive: inout Output, _ header: SevenZipWriter, isSure: Bool
    ) throws(ModuleError) -> Bool {
        guard try archive.append(header.bytes) else { return false }
        var child = Child()
        try close(&archive, &child)
        header.start(of: child.data)
        if !isSure, child.flags & EM_OBJECT_OVER_LIMIT == 0, try !isRight(child.data) { return false }
        try submit(child, name: ByteView(object.pointee.name).array)
        return true
    }
}

extension SevenZipCipher {
    /// Whether a stream that is decrypted begins as its compression begins. Stored content tells nothing; its checksum
    /// does.
    ///
    /// - Parameter user: the coder that takes the stream.
    fileprivate func looksRight(_ packed: ByteView, _ key: [UInt8], _ user: SevenZipStreams.Coder) -> Bool {
        let head = head(packed, key)
        guard head.count >= 16 else { return false }
        switch SevenZipMethod(user.id) {
        // The range coder's first byte.
        case .lzma: return head[0] == 0
        // A chunk that begins anew, of a plausible size.
        case .lzma2: return head[0] == 1 || head[0] >= 0xe0 && head[5] < 225 && head[6] == 0
        default: return true
        }
    }
}
