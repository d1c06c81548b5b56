package import BytesE
package import ModuleKit
package import Unpacking

/// The oldest encryption of Excel files (MS-OFFCRYPTO 2.3.7, method 1): the bytes of records are rotated and combined with
/// sixteen bytes that the password makes.
package struct SheetObfuscation {
    private let key, verifier: UInt16

    /// - Parameter info: what FILEPASS has behind the kind of encryption.
    package init?(_ info: ByteView) {
        guard let key = info.load(UInt16.self, at: 0), let verifier = info.load(UInt16.self, at: 2) else { return nil }
        self.key = key
        self.verifier = verifier
    }

    /// The bytes that a password makes; nil when it is another one.
    package func pad(_ password: [UInt8]) -> [UInt8]? {
        guard (1...15).contains(password.count), Self.verifier(password) == verifier, Self.key(password) == key else {
            return nil
        }
        // Behind the password a filling, then all with the halves of the key in turn, each rotated by one bit.
        let bytes = password + Self.filling[..<(16 - password.count)]
        return bytes.enumerated().map { index, byte in
            let mixed = byte ^ UInt8(truncatingIfNeeded: index & 1 == 0 ? key : key >> 8)
            return mixed >> 1 | mixed << 7
        }
    }

    /// Decrypts a whole stream.
    ///
    /// - Parameter records: of the stream.
    /// - Returns: false when a limit is met.
    package func decrypt(
        _ data: ByteView, _ pad: [UInt8], _ records: inout SheetRecords, into output: inout Output
    ) throws(ModuleError) -> Bool {
        var index = 0
        while index < data.count {
            guard let room = try output.room() else { return false }
            let step = min(room.count, data.count - index)
            for place in 0..<step {
                let at = index + place
                let isPlain = records.isPlain(at)
                room[place] = isPlain ? data[at] : Self.plain(data[at], at, records.contentSize, pad)
            }
            output.advance(step)
            index += step
        }
        return output.stoppedBy == 0
    }

    /// A byte of a record whose content is so long; the pad begins where the place and the size together say.
    package static func plain(_ byte: UInt8, _ place: Int, _ contentSize: Int, _ pad: [UInt8]) -> UInt8 {
        let mixed = byte ^ pad[(place + contentSize) & 15]
        return mixed >> 5 | mixed << 3
    }

    private static func verifier(_ password: [UInt8]) -> UInt16 {
        var value: UInt16 = 0
        for byte in password.reversed() + [UInt8(password.count)] {
            value = ((value >> 14 & 1) | (value << 1 & 0x7fff)) ^ UInt16(byte)
        }
        return value ^ 0xce4b
    }

    /// The key of a password (2.3.7.2): for each bit of each character one number, from the last back.
    private static func key(_ password: [UInt8]) -> UInt16 {
        var key = initial[password.count - 1]
        var place = matrix.count
        for byte in password.reversed() {
            for bit in 0..<7 {
                place -= 1
                if byte >> UInt8(6 - bit) & 1 == 1 { key ^= matrix[place] }
            }
        }
        return key
    }

    private static let filling: [UInt8] = [
        0xbb, 0xff, 0xff, 0xba, 0xff, 0xff, 0xb9, 0x80, 0x00, 0xbe, 0x0f, 0x00, 0xbf, 0x0f, 0x00,
    ]

    private static let initial: [UInt16] = [
        0xe1f0, 0x1d0f, 0xcc9c, 0x84c0, 0x110c, 0x0e10, 0xf1ce, 0x313e, 0x1872, 0xe139, 0xd40f, 0x84f9, 0x280c,
        0xa96a, 0x4ec3,
    ]

    private static let matrix: [UInt16] = [
        0xaefc, 0x4dd9, 0x9bb2, 0x2745, 0x4e8a, 0x9d14, 0x2a09, 0x7b61, 0xf6c2, 0xfda5, 0xeb6b, 0xc6f7, 0x9dcf, 0x2bbf,
        0x4563, 0x8ac6, 0x05ad, 0x0b5a, 0x16b4, 0x2d68, 0x5ad0, 0x0375, 0x06ea, 0x0dd4, 0x1ba8, 0x3750, 0x6ea0, 0xdd40,
        0xd849, 0xa0b3, 0x5147, 0xa28e, 0x553d, 0xaa7a, 0x44d5, 0x6f45, 0xde8a, 0xad35, 0x4a4b, 0x9496, 0x390d, 0x721a,
        0xeb23, 0xc667, 0x9cef, 0x29ff, 0x53fe, 0xa7fc, 0x5fd9, 0x47d3, 0x8fa6, 0x0f6d, 0x1eda, 0x3db4, 0x7b68, 0xf6d0,
        0xb861, 0x60e3, 0xc1c6, 0x93ad, 0x377b, 0x6ef6, 0xddec, 0x45a0, 0x8b40, 0x06a1, 0x0d42, 0x1a84, 0x3508, 0x6a10,
        0xaa51, 0x4483, 0x8906, 0x022d, 0x045a, 0x08b4, 0x1168, 0x76b4, 0xed68, 0xcaf1, 0x85c3, 0x1ba7, 0x374e, 0x6e9c,
        0x3730, 0x6e60, 0xdcc0, 0xa9a1, 0x4363, 0x86c6, 0x1dad, 0x3331, 0x6662, 0xccc4, 0x89a9, 0x0373, 0x06e6, 0x0dcc,
        0x1021, 0x2042, 0x4084, 0x8108, 0x1231, 0x2462, 0x48c4,
    ]
}
