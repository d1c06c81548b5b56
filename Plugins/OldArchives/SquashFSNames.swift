import BytesE

extension NumberedNames {
    /// The names of the files of a SquashFS image by the numbers of their inodes, out of its table of directories: lists
    /// of up to 256 entries, each behind a header with the number that the entries add to.
    init(squashFS table: ByteView) {
        var place = 0
        defer { sort() }
        while let count = table.load(UInt32.self, at: place), count < 256,
            let base = table.load(UInt32.self, at: place + 8)
        {
            place += 12
            for _ in 0...count {
                guard let difference = table.load(Int16.self, at: place + 2),
                    let kind = table.load(UInt16.self, at: place + 4),
                    let size = table.load(UInt16.self, at: place + 6), size < 256, !isFull
                else { return }
                let name = table.slice(place + 8, place + 9 + Int(size))
                place += 9 + Int(size)
                guard kind == 2 else { continue }
                add(name.array, for: UInt64(base &+ UInt32(bitPattern: Int32(difference))))
            }
        }
    }
}
