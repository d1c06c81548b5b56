import BytesE

/// Undoes the filter for RISC-V programs of 7-Zip and xz: calls (JAL) and pairs that begin with AUIPC have absolute addresses
/// in place of distances, with the highest byte first. (As liblzma's riscv.c describes it.)
///
/// - Parameter start: the address of the first byte.
func unfilterRISCV(_ bytes: UnsafeMutableBufferPointer<UInt8>, start: UInt32) {
    let view = ByteView(UnsafeBufferPointer(bytes))
    func put(_ word: UInt32, at place: Int) {
        for index in 0..<4 { bytes[place + index] = UInt8(truncatingIfNeeded: word >> UInt32(8 * index)) }
    }
    var place = 0
    while let word = view.load(UInt32.self, at: place), let second = view.load(UInt32.self, at: place + 4) {
        let address = start &+ UInt32(truncatingIfNeeded: place)
        if word & 0xdff == 0xef {
            // A call that keeps in x1 or x5 where to return.
            let target = (word >> 8 & 0xf0) << 13 | (word >> 16 & 0xff) << 9 | (word >> 24) << 1
            let distance = target &- address
            let upper = (distance >> 20 & 1) << 31 | (distance >> 1 & 0x3ff) << 21
            put(word & 0xfff | upper | (distance >> 11 & 1) << 20 | (distance >> 12 & 0xff) << 12, at: place)
            place += 4
        } else if word & 0x7f != 0x17 {
            place += 2
        } else if word & 0xe80 != 0 {
            // Bytes that looked as if they were converted: only a pair of the same register was turned round.
            guard second & 3 == 3, second >> 15 & 31 == word >> 7 & 31 else {
                place += 6
                continue
            }
            put(0x117 | second << 12, at: place)
            put(word & 0xffff_f000 | second >> 20, at: place + 4)
            place += 8
        } else {
            // x2 tells a pair; its register stands in the highest bits.
            let register = word >> 27
            guard word & 0x3fff == 0x3117, register & 0x1d != 0 else {
                place += 4
                continue
            }
            let distance = second.byteSwapped &- address
            // The lower half counts with its sign.
            put(0x17 | register << 7 | (distance &+ 0x800) & 0xffff_f000, at: place)
            put(word >> 12 | distance << 20, at: place + 4)
            place += 8
        }
    }
}
