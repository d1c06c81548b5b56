import BytesE
import CModuleABI
import MIMEE
import ModuleKit
import Unpacking

/// The file systems ext2, ext3 and ext4 of Linux: every file of every folder.
final class ExtUnpacker: Unpacker {
    private var volume: ExtVolume?
    /// Folders that are still to be read.
    private var folders: [UInt32] = []
    /// Those that were found, in ascending order.
    private var seen: [UInt32] = []
    private var folder: Folder?
    /// Entries that may still be looked at: folders that hold each other would never end.
    private var entriesLeft = 1 << 20

    private static let mostFolders = 4096
    /// Largest hole at the end of a file.
    private static let mostFilled = 16 << 20

    /// A folder that is being read, block by block.
    private struct Folder {
        private var runs: ArraySlice<ExtVolume.Run> = []
        /// Blocks of the first run that were read.
        private var block = 0
        /// What is kept in the inode.
        private var places: ArraySlice<Range<Int>> = []
        /// In the block.
        var position = 0

        init(_ inode: ExtInode, _ volume: ExtVolume) {
            if inode.isInline {
                places = inode.inlinePlaces[...]
                // Before the entries stands the folder above.
                position = 4
            } else {
                runs = volume.runs(inode)[...]
            }
        }

        mutating func leaveBlock() {
            position = 0
            if places.isEmpty { block += 1 } else { places.removeFirst() }
        }

        /// Where the block lies that comes next; nil at the end.
        mutating func place(_ volume: ExtVolume) -> Range<Int>? {
            if let place = places.first { return place }
            while let run = runs.first {
                if block < run.count, run.start > 0, let start = volume.block(run.start + UInt64(block)) {
                    return start..<(start + volume.blockSize)
                }
                runs.removeFirst()
                block = 0
            }
            return nil
        }
    }

    static var extractor: Extractor {
        Extractor(
            "EXT",
            identify: { ExtVolume($0.data) != nil ? Claim(.whole, sureness: 90, type: EM_TYPE_ARCHIVE) : nil },
            open: { scan, object, _ throws(ModuleError) in ExtUnpacker(scan, object, format: "EXT") })
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        if volume == nil {
            volume = ExtVolume(data)
            folders = [ExtVolume.root]
        }
        guard let volume else { return false }
        while true {
            try scan.check()
            guard folder != nil else {
                guard let number = folders.popLast() else { return false }
                guard let inode = volume.inode(number), inode.isDirectory else {
                    found(EM_OBJECT_MALFORMED)
                    continue
                }
                if inode.isEncrypted { found(EM_OBJECT_ENCRYPTED) }
                folder = Folder(inode, volume)
                continue
            }
            guard let (number, name) = nextEntry(volume) else {
                folder = nil
                continue
            }
            guard let inode = volume.inode(number) else {
                found(EM_OBJECT_MALFORMED)
                continue
            }
            if inode.isDirectory { enter(number) }
            if inode.isFile, inode.size > 0 {
                try submit(inode, name, volume)
                return true
            }
        }
    }

    private func enter(_ number: UInt32) {
        var low = 0
        var high = seen.count
        while low < high {
            let middle = (low + high) / 2
            if seen[middle] < number { low = middle + 1 } else { high = middle }
        }
        guard number != ExtVolume.root, low == seen.count || seen[low] != number else { return }
        guard seen.count < Self.mostFolders else { return overLimit(EM_BUDGET_OBJECTS) }
        seen.insert(number, at: low)
        folders.append(number)
    }

    /// The next entry of the folder, "." and ".." left out; nil at its end.
    private func nextEntry(_ volume: ExtVolume) -> (inode: UInt32, name: ByteView)? {
        while var folder = self.folder, let block = folder.place(volume) {
            guard entriesLeft > 0 else {
                overLimit(EM_BUDGET_OBJECTS)
                folders = []
                return nil
            }
            entriesLeft -= 1
            let place = block.lowerBound + folder.position
            let number = data.load(UInt32.self, at: place)
            let length = Int(data.load(UInt16.self, at: place + 4) ?? 0)
            guard let number, length >= 8, place + length <= block.upperBound, place + 8 <= data.count else {
                // The rest of the block is no list of entries.
                folder.leaveBlock()
                self.folder = folder
                continue
            }
            let name = data.slice(place + 8, place + 8 + Int(data[place + 6]))
            folder.position += length
            if folder.position >= block.count { folder.leaveBlock() }
            self.folder = folder
            let isLink = name.equals(ByteView(".")) || name.equals(ByteView(".."))
            if number > 0, !isLink { return (number, name) }
        }
        return nil
    }

    /// In place when the blocks lie one behind another.
    private func submit(_ inode: ExtInode, _ name: ByteView, _ volume: ExtVolume) throws(ModuleError) {
        var child = Child()
        child.statedSize = inode.size
        let name = entryName(name, isUTF8: true, otherwise: .latin1)
        if inode.isEncrypted { child.flags |= EM_OBJECT_ENCRYPTED }
        if inode.isInline, inode.size <= 60 {
            child.data = inode.map.prefix(Int(inode.size))
            child.offset = UInt64(inode.mapPlace)
            child.extent = UInt64(child.data.count)
            child.flags |= EM_OBJECT_IN_PLACE
            return try submit(child, name: name)
        }
        if inode.isInline {
            var output = try Output(scan, in: object, expected: Int(clamping: min(inode.size, 4096)))
            var left = inode.size
            for place in inode.inlinePlaces {
                let piece = data.slice(place.lowerBound, place.upperBound).prefix(Int(clamping: left))
                guard try output.append(piece) else { break }
                left -= UInt64(piece.count)
            }
            if left > 0, output.stoppedBy == 0 { child.flags |= EM_OBJECT_TRUNCATED }
            try close(&output, &child)
            return try submit(child, name: name)
        }
        let runs = volume.runs(inode)
        if runs.count <= 2, let run = runs.first, let start = volume.block(run.start),
            UInt64(run.count) * UInt64(volume.blockSize) >= inode.size
        {
            child.data = data.dropFirst(start).prefix(Int(clamping: inode.size))
            child.offset = UInt64(start)
            child.extent = UInt64(child.data.count)
            child.flags |= EM_OBJECT_IN_PLACE
            if UInt64(child.data.count) < inode.size { child.flags |= EM_OBJECT_TRUNCATED }
            return try submit(child, name: name)
        }
        var output = try Output(scan, in: object, expected: Int(clamping: min(inode.size, UInt64(data.count))))
        var left = Int(clamping: inode.size)
        var isWhole = true
        for run in runs where left > 0 {
            try scan.check()
            let wanted = min(left, run.count * volume.blockSize)
            if let start = volume.block(run.start) {
                let piece = data.dropFirst(start).prefix(wanted)
                isWhole = try output.append(piece) && piece.count == wanted
            } else {
                isWhole = try output.append(0, count: wanted)
            }
            guard isWhole else { break }
            left -= wanted
        }
        // What no block is given for is a hole.
        if left > 0, left < Self.mostFilled, isWhole, try output.append(0, count: left) { left = 0 }
        if left > 0, output.stoppedBy == 0 { child.flags |= EM_OBJECT_TRUNCATED }
        try close(&output, &child)
        try submit(child, name: name)
    }
}
