package import BytesE
package import ModuleKit
package import Unpacking

/// Cabinets that go on in each other, by the numbers in their headers: the indices of each chain, in order.
package func cabinetChains(_ cabinets: [ByteView]) -> [[Int]] {
    var known: [(index: Int, head: CabinetHead)] = []
    for (index, cabinet) in cabinets.enumerated() {
        if let head = CabinetHead(cabinet), head.isVolume { known.append((index, head)) }
    }
    known.sort { $0.head.set != $1.head.set ? $0.head.set < $1.head.set : $0.head.number < $1.head.number }
    var result: [[Int]] = []
    var last: CabinetHead?
    for (index, head) in known {
        if let last, last.set == head.set {
            // Of several of the same number the first.
            if last.number == head.number { continue }
            if last.number + 1 == head.number, last.hasNext, head.hasPrevious {
                result[result.count - 1].append(index)
            } else {
                result.append([index])
            }
        } else {
            result.append([index])
        }
        last = head
    }
    return result.filter { $0.count > 1 }
}

/// Whether a cabinet says of itself that it is not whole without others.
package func isCabinetVolume(_ data: ByteView) -> Bool { CabinetHead(data)?.isVolume ?? false }

/// Writes one cabinet out of those of a chain: folders that go on in the next cabinet are put together, and so are blocks that
/// were cut.
///
/// - Parameters:
///   - cabinets: in their order.
///   - output: where to; a limit that it meets ends the cabinet.
/// - Returns: false when it cannot be written as one.
/// - Throws: what the host answers when the scan must end.
package func joinCabinets(
    _ cabinets: [ByteView], _ scan: ScanContext, into output: inout Output
) throws(ModuleError) -> Bool {
    var folders: [CabinetFolder] = []
    var files: [UInt8] = []
    var fileCount = 0
    var blockCount = 0
    for (number, data) in cabinets.enumerated() {
        guard let head = CabinetHead(data) else { return false }
        try scan.check()
        let places = CabinetFiles(data, head)
        let continues = number > 0 && places.continuesOther && !folders.isEmpty
        let first = folders.count - (continues ? 1 : 0)
        for index in 0..<head.folderCount {
            guard var place = head.folder(index, of: data) else { return false }
            if index > 0 || !continues { folders.append(CabinetFolder(kind: place.kind)) }
            for block in 0..<place.count {
                if block & 0xff == 0 { try scan.check() }
                guard blockCount < mostBlocks, let (bytes, size, end) = head.block(at: place.start, of: data) else {
                    break
                }
                blockCount += 1
                place.start = end
                let isRest = continues && index == 0 && block == 0 && folders[folders.count - 1].blocks.last?.size == 0
                folders[folders.count - 1].append(bytes, size, isRest: isRest)
            }
        }
        for file in places.entries {
            // Those that began before are there already.
            guard !file.continuesOther || number == 0 else { continue }
            let folder = file.goesOn ? folders.count - 1 : first + file.folder
            guard folder >= 0, folder < folders.count, files.count < largestList else { continue }
            files += data.slice(file.place, file.place + 8).array + little(folder, 2)
            files += data.slice(file.place + 10, file.end).array
            fileCount += 1
        }
    }
    guard fileCount <= 0xffff, folders.count <= 0xffff else { return false }
    let start = 36 + 8 * folders.count
    var header: [UInt8] = [0x4d, 0x53, 0x43, 0x46, 0, 0, 0, 0] + little(0, 8) + little(start, 4) + little(0, 4)
    header += [3, 1] + little(folders.count, 2) + little(fileCount, 2) + little(0, 6)
    guard try output.append(header) else { return false }
    var place = start + files.count
    for folder in folders {
        guard try output.append(little(place, 4) + little(folder.blocks.count, 2) + little(folder.kind, 2)) else {
            return false
        }
        place += folder.blocks.reduce(0) { $0 + 8 + $1.count }
    }
    guard try output.append(files) else { return false }
    for folder in folders {
        for block in folder.blocks {
            // A checksum of zero is none.
            guard try output.append(little(0, 4) + little(block.count, 2) + little(block.size, 2)) else { return true }
            for piece in block.pieces { guard try output.append(piece) else { return true } }
        }
    }
    output.replace(at: 8, with: little(output.count, 4))
    return true
}

/// Most blocks of all cabinets together: as many as one folder may have.
private let mostBlocks = 0xffff
/// Most bytes of all entries of files.
private let largestList = 4 << 20

private func little(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}

private struct CabinetFolder {
    struct Block {
        var pieces: [ByteView]
        /// Unpacked; 0 when the rest of the block is in the next cabinet.
        var size: Int

        var count: Int { pieces.reduce(0) { $0 + $1.count } }
    }

    let kind: Int
    var blocks: [Block] = []

    mutating func append(_ bytes: ByteView, _ size: Int, isRest: Bool) {
        if isRest, var last = blocks.popLast() {
            // More than the number of its size can say is no block.
            if last.count + bytes.count <= 0xffff { last.pieces.append(bytes) }
            last.size = size
            blocks.append(last)
        } else {
            blocks.append(Block(pieces: [bytes], size: size))
        }
    }
}

/// The header of a cabinet ("Microsoft Cabinet Format", CFHEADER).
private struct CabinetHead {
    let set, number: Int
    let hasPrevious, hasNext: Bool
    let folderCount, fileCount, filesStart: Int
    /// Where the folders begin, and the bytes that each of them and each block has besides.
    private let foldersStart, folderExtra, blockExtra: Int

    var isVolume: Bool { hasPrevious || hasNext }

    init?(_ data: ByteView) {
        guard data.hasPrefix(ByteView("MSCF\0\0\0\0")), let files = data.load(UInt32.self, at: 16),
            let folders = data.load(UInt16.self, at: 26), let count = data.load(UInt16.self, at: 28),
            let flags = data.load(UInt16.self, at: 30), let set = data.load(UInt16.self, at: 32),
            let number = data.load(UInt16.self, at: 34)
        else { return nil }
        self.set = Int(set)
        self.number = Int(number)
        hasPrevious = flags & 1 != 0
        hasNext = flags & 2 != 0
        folderCount = Int(folders)
        fileCount = Int(count)
        filesStart = Int(files)
        var place = 36
        var extra = (folder: 0, block: 0)
        if flags & 4 != 0 {
            guard let reserved = data.load(UInt16.self, at: 36), data.count > 40 else { return nil }
            extra = (Int(data[38]), Int(data[39]))
            place = 40 + Int(reserved)
        }
        // Names of the cabinets and disks before and behind.
        for _ in 0..<(hasPrevious ? 2 : 0) + (hasNext ? 2 : 0) {
            guard let end = data.prefix(place + 256).firstIndex(of: 0, from: place) else { return nil }
            place = end + 1
        }
        foldersStart = place
        (folderExtra, blockExtra) = extra
    }

    func folder(_ index: Int, of data: ByteView) -> (start: Int, count: Int, kind: Int)? {
        let place = foldersStart + index * (8 + folderExtra)
        guard let start = data.load(UInt32.self, at: place), let count = data.load(UInt16.self, at: place + 4),
            let kind = data.load(UInt16.self, at: place + 6)
        else { return nil }
        return (Int(start), Int(count), Int(kind))
    }

    func block(at place: Int, of data: ByteView) -> (bytes: ByteView, size: Int, end: Int)? {
        guard let count = data.load(UInt16.self, at: place + 4), let size = data.load(UInt16.self, at: place + 6) else {
            return nil
        }
        let start = place + 8 + blockExtra
        let bytes = data.slice(start, start + Int(count))
        return bytes.count == Int(count) ? (bytes, Int(size), start + Int(count)) : nil
    }
}

/// The entries of a cabinet's files (CFFILE).
private struct CabinetFiles {
    struct Entry {
        let place, end: Int
        /// Its folder in this cabinet.
        let folder: Int
        let continuesOther, goesOn: Bool
    }
    private(set) var entries: [Entry] = []
    /// The first folder is that of the cabinet before, too.
    private(set) var continuesOther = false

    init(_ data: ByteView, _ head: CabinetHead) {
        var place = head.filesStart
        for _ in 0..<head.fileCount {
            guard let folder = data.load(UInt16.self, at: place + 8),
                let end = data.prefix(place + 16 + 257).firstIndex(of: 0, from: place + 16)
            else { return }
            let entry = Entry(
                place: place, end: end + 1, folder: folder >= 0xfffd ? 0 : Int(folder),
                continuesOther: folder == 0xfffd || folder == 0xffff, goesOn: folder == 0xfffe)
            entries.append(entry)
            if entry.continuesOther { continuesOther = true }
            place = end + 1
        }
    }
}
