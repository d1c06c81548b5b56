import BytesE
import CModuleABI
import MIMEE
import ModuleKit
import Unpacking

/// Files that only one of the trees of folders of an ISO 9660 image has (ECMA-119): one for each volume descriptor. Systems
/// show one of them, and not all the same; what all have is opened as ISO.
final class ISOTreesUnpacker: Unpacker {
    /// What is still to be submitted; nil before the trees were read.
    private var left: [ISOFile]?

    static var extractor: Extractor {
        Extractor(
            "ISO-TREES",
            identify: { candidate in
                // A second tree stands in the sectors behind the first one's descriptor.
                guard isDescriptor(candidate.data, 16), trees(candidate.data).count > 1 else { return nil }
                return Claim(.whole, sureness: 90, type: EM_TYPE_ARCHIVE)
            },
            open: { scan, object, _ throws(ModuleError) in ISOTreesUnpacker(scan, object, format: "ISO") })
    }

    private static let sectorSize = 2048
    private static let mostDescriptors = 32
    private static let mostFolders = 4096
    private static let mostFiles = 65_536

    private static func isDescriptor(_ data: ByteView, _ sector: Int) -> Bool {
        data.slice(sector * sectorSize + 1, sector * sectorSize + 6).equals(ByteView("CD001"))
    }

    /// A file's place, and its name in the tree's character set.
    private struct ISOFile {
        let place: Int
        let size: Int
        let name: Range<Int>
        let isJoliet: Bool
    }

    private struct Tree {
        let root: Int
        let rootSize: Int
        let blockSize: Int
        let isJoliet: Bool
    }

    /// The trees of the descriptors, each root once.
    private static func trees(_ data: ByteView) -> [Tree] {
        var result: [Tree] = []
        for sector in 16..<(16 + mostDescriptors) where isDescriptor(data, sector) {
            let start = sector * sectorSize
            guard data[start] == 1 || data[start] == 2, let block = data.load(UInt16.self, at: start + 128),
                let root = data.load(UInt32.self, at: start + 158), let size = data.load(UInt32.self, at: start + 166),
                block >= 512, block <= 32_768
            else {
                if data[start] == 0xff { break }
                continue
            }
            let tree = Tree(
                root: Int(root) * Int(block), rootSize: Int(size), blockSize: Int(block),
                isJoliet: data[start] == 2 && data[start + 88] == 0x25 && data[start + 89] == 0x2f)
            if !result.contains(where: { $0.root == tree.root }) { result.append(tree) }
        }
        return result
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        if left == nil { left = try difference() }
        guard let file = left?.popLast() else { return false }
        found(EM_OBJECT_MALFORMED)
        let name = data.slice(file.name.lowerBound, file.name.upperBound)
        try submit(
            part(file.place..<(file.place + file.size)),
            name: file.isJoliet
                ? Charset.utf16BigEndian.decode(name) : entryName(name, isUTF8: false, otherwise: .latin1))
        return true
    }

    /// The files that not all trees have.
    private func difference() throws(ModuleError) -> [ISOFile] {
        var trees: [[ISOFile]] = []
        for tree in Self.trees(data) { trees.append(try files(tree).sorted { $0.place < $1.place }) }
        var result: [ISOFile] = []
        for (number, tree) in trees.enumerated() {
            for file in tree {
                let isEverywhere = trees.enumerated().allSatisfy { other, files in
                    other == number || Self.contains(files, file.place)
                }
                // Of those that several have, one is enough.
                let isKnown = trees[..<number].contains { Self.contains($0, file.place) }
                if !isEverywhere, !isKnown { result.append(file) }
            }
        }
        return result.reversed()
    }

    private static func contains(_ files: [ISOFile], _ place: Int) -> Bool {
        var low = 0
        var high = files.count
        while low < high {
            let middle = (low + high) / 2
            if files[middle].place < place { low = middle + 1 } else { high = middle }
        }
        return low < files.count && files[low].place == place
    }

    /// All files of a tree.
    private func files(_ tree: Tree) throws(ModuleError) -> [ISOFile] {
        var result: [ISOFile] = []
        var folders = [(place: tree.root, size: tree.rootSize)]
        var next = 0
        // Folders may lie over each other, and name each other.
        var entriesLeft = 1 << 20
        var foldersLeft = 1 << 15
        while next < folders.count {
            try scan.check()
            let folder = data.slice(folders[next].place, folders[next].place + folders[next].size)
            let start = folders[next].place
            next += 1
            var place = 0
            while place + 33 < folder.count {
                let length = Int(folder[place])
                guard length > 33, place + length <= folder.count else {
                    // The rest of a sector is empty.
                    place = (place / Self.sectorSize + 1) * Self.sectorSize
                    continue
                }
                defer { place += length }
                entriesLeft -= 1
                guard entriesLeft > 0, foldersLeft > 0 else {
                    overLimit(EM_BUDGET_OBJECTS)
                    return result
                }
                if entriesLeft & 0xfff == 0 { try scan.check() }
                guard let block = folder.load(UInt32.self, at: place + 2),
                    let size = folder.load(UInt32.self, at: place + 10)
                else { continue }
                let from = Int(block) * tree.blockSize
                let nameSize = min(Int(folder[place + 32]), length - 33)
                if folder[place + 25] & 2 != 0 {
                    foldersLeft -= 1
                    // Itself, and the one above, have names of one byte.
                    guard nameSize > 1 || folder[place + 33] > 1, !folders.contains(where: { $0.place == from }) else {
                        continue
                    }
                    guard folders.count < Self.mostFolders else {
                        overLimit(EM_BUDGET_OBJECTS)
                        continue
                    }
                    folders.append((from, Int(size)))
                } else if size > 0, from < data.count {
                    guard result.count < Self.mostFiles else {
                        overLimit(EM_BUDGET_OBJECTS)
                        return result
                    }
                    let name = start + place + 33
                    result.append(
                        ISOFile(place: from, size: Int(size), name: name..<(name + nameSize), isJoliet: tree.isJoliet))
                }
            }
        }
        return result
    }
}
