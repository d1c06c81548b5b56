import BytesE
import Passwords

/// A 7z archive: where its header and its streams lie.
struct SevenZipFile {
    private let data: ByteView

    init(_ data: ByteView) { self.data = data }

    /// Six bytes that every archive begins with.
    static func isOne(_ data: ByteView) -> Bool {
        data.loadBigEndian(UInt32.self, at: 0) == 0x377a_bcaf && data.loadBigEndian(UInt16.self, at: 4) == 0x271c
    }

    /// The header at the archive's end, as the 32 bytes at its beginning say.
    var header: ByteView? {
        guard let offset = data.load(UInt64.self, at: 12), let size = data.load(UInt64.self, at: 20),
            offset < UInt64(data.count), size > 0
        else { return nil }
        return data.dropFirst(SevenZipWriter.startSize + Int(offset)).prefix(Int(clamping: size))
    }

    /// A packed stream.
    func packed(_ position: UInt64, _ size: UInt64) -> ByteView {
        guard position < UInt64(data.count) else { return ByteView() }
        return data.dropFirst(SevenZipWriter.startSize + Int(position)).prefix(Int(clamping: size))
    }
}

/// The part of a 7z header that says how the content is packed (7zFormat.txt of the 7-Zip sources: PackInfo and the
/// folders of UnpackInfo), and where what follows it stands.
struct SevenZipStreams {
    struct Coder {
        var id: ByteView
        var properties: ByteView
        var inputs = 1
        var outputs = 1
    }

    struct Folder {
        var coders: [Coder] = []
        /// Which input takes which output.
        var bonds: [(input: Int, output: Int)] = []
        /// Inputs that packed streams go to.
        var packed: [Int] = []
        var sizes: [UInt64] = []
        var crc32: UInt32?
        /// That of the only file in it, when it stands with the files' and not with the folder.
        var fileCRC32: UInt32?
    }

    var position: UInt64 = 0
    var sizes: [UInt64] = []
    var folders: [Folder] = []
    /// Behind the streams' end, or before the description of the files in the folders.
    private(set) var rest = 0

    private static let most = 4096

    /// - Parameter start: behind the number that announces the streams (4, or 23 for a packed header).
    init?(_ data: ByteView, from start: Int) {
        var reader = SevenZipReader(data, start)
        while let kind = reader.byte() {
            switch kind {
            case 6: guard readPackInfo(&reader) else { return nil }
            case 7: guard readFolders(&reader) else { return nil }
            default:
                rest = reader.position - 1
                if kind == 8 { readFileChecksums(reader) }
                return
            }
        }
        return nil
    }

    private mutating func readPackInfo(_ reader: inout SevenZipReader) -> Bool {
        guard let place = reader.number(), let count = reader.number(), count <= UInt64(Self.most) else { return false }
        position = place
        while let kind = reader.byte() {
            switch kind {
            case 0: return true
            case 9:
                for _ in 0..<count {
                    guard let size = reader.number() else { return false }
                    sizes.append(size)
                }
            case 10: guard reader.digests(Int(count)) != nil else { return false }
            default: return false
            }
        }
        return false
    }

    private mutating func readFolders(_ reader: inout SevenZipReader) -> Bool {
        guard reader.byte() == 11, let count = reader.number(), count <= UInt64(Self.most), reader.byte() == 0 else {
            return false
        }
        for _ in 0..<count {
            guard let folder = readFolder(&reader) else { return false }
            folders.append(folder)
        }
        guard reader.byte() == 12 else { return false }
        for index in folders.indices {
            for coder in folders[index].coders {
                for _ in 0..<coder.outputs {
                    guard let size = reader.number() else { return false }
                    folders[index].sizes.append(size)
                }
            }
        }
        while let kind = reader.byte() {
            if kind == 0 { return true }
            guard kind == 10, let digests = reader.digests(folders.count) else { return false }
            for index in folders.indices { folders[index].crc32 = digests[index] }
        }
        return false
    }

    /// Those of folders that have one file each: neither numbers of files nor sizes stand before them.
    private mutating func readFileChecksums(_ reader: SevenZipReader) {
        var reader = reader
        let missing = folders.indices.filter { folders[$0].crc32 == nil }
        guard reader.byte() == 10, let digests = reader.digests(missing.count) else { return }
        for (index, digest) in zip(missing, digests) { folders[index].fileCRC32 = digest }
    }

    private func readFolder(_ reader: inout SevenZipReader) -> Folder? {
        var folder = Folder()
        guard let count = reader.number(), (1...8).contains(count) else { return nil }
        var inputs = 0
        var outputs = 0
        for _ in 0..<count {
            guard let flags = reader.byte(), flags & 0x80 == 0, let id = reader.bytes(Int(flags & 15)) else {
                return nil
            }
            var coder = Coder(id: id, properties: ByteView())
            if flags & 0x10 != 0 {
                guard let more = reader.number(), let taken = reader.number(), more <= 8, taken <= 8 else { return nil }
                coder.inputs = Int(more)
                coder.outputs = Int(taken)
            }
            if flags & 0x20 != 0 {
                guard let size = reader.number(), size <= 4096, let bytes = reader.bytes(Int(size)) else { return nil }
                coder.properties = bytes
            }
            inputs += coder.inputs
            outputs += coder.outputs
            folder.coders.append(coder)
        }
        guard outputs >= 1 else { return nil }
        for _ in 0..<(outputs - 1) {
            guard let input = reader.number(), let output = reader.number(), input < UInt64(inputs),
                output < UInt64(outputs)
            else { return nil }
            folder.bonds.append((Int(input), Int(output)))
        }
        let packed = inputs - folder.bonds.count
        guard packed >= 1 else { return nil }
        if packed == 1 {
            folder.packed = (0..<inputs).filter { input in !folder.bonds.contains { $0.input == input } }
        } else {
            for _ in 0..<packed {
                guard let input = reader.number(), input < UInt64(inputs) else { return nil }
                folder.packed.append(Int(input))
            }
        }
        return folder
    }
}

/// Numbers and digests of a 7z header; nil behind its end.
struct SevenZipReader {
    private let data: ByteView
    private(set) var position: Int

    init(_ data: ByteView, _ position: Int) {
        self.data = data
        self.position = position
    }

    mutating func byte() -> UInt8? {
        guard position < data.count else { return nil }
        position += 1
        return data[position - 1]
    }

    mutating func bytes(_ count: Int) -> ByteView? {
        guard count <= data.count - position else { return nil }
        position += count
        return data.slice(position - count, position)
    }

    /// As many leading ones as there are bytes behind the first; the rest of the first is the highest part.
    mutating func number() -> UInt64? {
        guard let first = byte() else { return nil }
        var value: UInt64 = 0
        var mask: UInt8 = 0x80
        for index in 0..<8 {
            if first & mask == 0 { return value | UInt64(first & (mask &- 1)) << UInt64(8 * index) }
            guard let next = byte() else { return nil }
            value |= UInt64(next) << UInt64(8 * index)
            mask >>= 1
        }
        return value
    }

    /// Which of so many have a checksum, and those.
    mutating func digests(_ count: Int) -> [UInt32?]? {
        guard let all = byte() else { return nil }
        var defined = [Bool](repeating: all != 0, count: count)
        if all == 0 {
            for start in stride(from: 0, to: count, by: 8) {
                guard let bits = byte() else { return nil }
                for index in start..<min(count, start + 8) {
                    defined[index] = bits & (0x80 >> UInt8(index - start)) != 0
                }
            }
        }
        var result: [UInt32?] = []
        for has in defined {
            guard has else {
                result.append(nil)
                continue
            }
            guard let value = data.load(UInt32.self, at: position) else { return nil }
            position += 4
            result.append(value)
        }
        return result
    }
}

/// Writes what `SevenZipReader` reads.
struct SevenZipWriter {
    /// Bytes before the packed streams.
    static let startSize = 32

    private(set) var bytes: [UInt8] = []

    /// A header up to the end of the description of the folders.
    mutating func streams(_ folders: [SevenZipStreams.Folder], _ sizes: [UInt64]) {
        byte(1)
        byte(4)
        byte(6)
        number(0)
        number(UInt64(sizes.count))
        byte(9)
        for size in sizes { number(size) }
        byte(0)
        byte(7)
        byte(11)
        number(UInt64(folders.count))
        byte(0)
        for folder in folders { self.folder(folder) }
        byte(12)
        for folder in folders { for size in folder.sizes { number(size) } }
        byte(10)
        byte(0)
        var bits: UInt8 = 0
        for (index, folder) in folders.enumerated() {
            if folder.crc32 != nil { bits |= 0x80 >> UInt8(index & 7) }
            if index & 7 == 7 || index == folders.count - 1 {
                byte(bits)
                bits = 0
            }
        }
        for folder in folders {
            guard let crc32 = folder.crc32 else { continue }
            for shift: UInt32 in [0, 8, 16, 24] { byte(UInt8(truncatingIfNeeded: crc32 >> shift)) }
        }
        byte(0)
    }

    /// Writes what stands before the streams of an archive that ends with this header; its bytes are ours to change.
    func start(of archive: ByteView) {
        guard archive.count >= Self.startSize + bytes.count, let base = archive.buffer.baseAddress else { return }
        var start: [UInt8] = []
        let header = bytes.withUnsafeBufferPointer { checksum(ByteView($0)) }
        let place = archive.count - bytes.count - Self.startSize
        for (value, count) in [(UInt64(place), 8), (UInt64(bytes.count), 8), (UInt64(header), 4)] {
            for index in 0..<count { start.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
        }
        let sum = start.withUnsafeBufferPointer { checksum(ByteView($0)) }
        var head: [UInt8] = [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c, 0, 4]
        for shift: UInt32 in [0, 8, 16, 24] { head.append(UInt8(truncatingIfNeeded: sum >> shift)) }
        head += start
        let bytes = UnsafeMutablePointer(mutating: base)
        for index in 0..<head.count { bytes[index] = head[index] }
    }

    mutating func byte(_ value: UInt8) { bytes.append(value) }

    /// In nine bytes whatever it is: that is allowed.
    mutating func number(_ value: UInt64) {
        bytes.append(0xff)
        for index in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
    }

    mutating func append(_ view: ByteView) { bytes.append(contentsOf: view.buffer) }

    mutating func folder(_ folder: SevenZipStreams.Folder) {
        number(UInt64(folder.coders.count))
        for coder in folder.coders {
            let isComplex = coder.inputs != 1 || coder.outputs != 1
            byte(UInt8(coder.id.count) | (isComplex ? 0x10 : 0) | (coder.properties.isEmpty ? 0 : 0x20))
            append(coder.id)
            if isComplex {
                number(UInt64(coder.inputs))
                number(UInt64(coder.outputs))
            }
            if !coder.properties.isEmpty {
                number(UInt64(coder.properties.count))
                append(coder.properties)
            }
        }
        for bond in folder.bonds {
            number(UInt64(bond.input))
            number(UInt64(bond.output))
        }
        if folder.packed.count > 1 { for input in folder.packed { number(UInt64(input)) } }
    }
}
