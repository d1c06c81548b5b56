import BytesE
import MIMEE

/// The names of the files of a WIM image by what their contents hash to, out of the metadata of its images.
struct WIMNames {
    private struct Entry {
        /// The first bytes of the SHA-1 of the content.
        let hash: UInt64
        /// Where its name lies among all.
        let name: Range<Int>
    }
    private var entries: [Entry] = []
    private var names: [UInt8] = []
    private var isSorted = true

    private static let most = 65_536
    private static let fixedSize = 102

    /// Adds what the metadata of one image has: a table of rights, then entries of folders, each aligned to eight bytes;
    /// entries without a length end a folder.
    mutating func add(_ metadata: ByteView) {
        var place = Int(metadata.load(UInt32.self, at: 0) ?? 0)
        place = (max(8, place) + 7) & ~7
        while entries.count < Self.most, let length = metadata.load(UInt64.self, at: place) {
            guard length >= UInt64(Self.fixedSize), length < 1 << 20 else {
                place += 8
                continue
            }
            if let hash = metadata.load(UInt64.self, at: place + 64), hash != 0,
                let size = metadata.load(UInt16.self, at: place + 100), size > 0
            {
                let start = place + Self.fixedSize
                let name = Charset.utf16LittleEndian.decode(metadata.slice(start, start + min(Int(size), 1024)))
                entries.append(Entry(hash: hash, name: names.count..<(names.count + name.count)))
                names += name
                isSorted = false
            }
            // Further streams of the file follow their entry, each as an entry of its own kind.
            let streams = Int(metadata.load(UInt16.self, at: place + 96) ?? 0)
            place = (place + Int(length) + 7) & ~7
            for _ in 0..<min(streams, 64) {
                guard let size = metadata.load(UInt64.self, at: place), size >= 38, size < 1 << 20 else { break }
                place = (place + Int(size) + 7) & ~7
            }
        }
        if !isSorted {
            entries.sort { $0.hash < $1.hash }
            isSorted = true
        }
    }

    /// The name of a file whose content has this hash; empty when there is none.
    func name(_ hash: UInt64) -> [UInt8] {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].hash < hash { low = middle + 1 } else { high = middle }
        }
        return low < entries.count && entries[low].hash == hash ? Array(names[entries[low].name]) : []
    }
}
