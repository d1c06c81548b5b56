import BytesE
import MIMEE

extension NumberedNames {
    /// Adds the names that the metadata of one WIM image has, by the first bytes of the SHA-1 of what the files hold: a
    /// table of rights, then entries of folders, each aligned to eight bytes; entries without a length end a folder.
    mutating func add(wim metadata: ByteView) {
        let fixedSize = 102
        var place = Int(metadata.load(UInt32.self, at: 0) ?? 0)
        place = (max(8, place) + 7) & ~7
        while !isFull, let length = metadata.load(UInt64.self, at: place) {
            guard length >= UInt64(fixedSize), length < 1 << 20 else {
                place += 8
                continue
            }
            if let hash = metadata.load(UInt64.self, at: place + 64), hash != 0,
                let size = metadata.load(UInt16.self, at: place + 100), size > 0
            {
                let start = place + fixedSize
                add(Charset.utf16LittleEndian.decode(metadata.slice(start, start + min(Int(size), 1024))), for: hash)
            }
            // Further streams of the file follow their entry, each as an entry of its own kind.
            let streams = Int(metadata.load(UInt16.self, at: place + 96) ?? 0)
            place = (place + Int(length) + 7) & ~7
            for _ in 0..<min(streams, 64) {
                guard let size = metadata.load(UInt64.self, at: place), size >= 38, size < 1 << 20 else { break }
                place = (place + Int(size) + 7) & ~7
            }
        }
        sort()
    }
}
