package import BytesE
import CCrypto
import CZlib
package import ModuleKit
package import Unpacking

/// The first cipher of ZIP (APPNOTE.TXT 6.1): three numbers that each byte stirs.
package struct ZIPCipher {
    private var key0: UInt32 = 0x1234_5678
    private var key1: UInt32 = 0x2345_6789
    private var key2: UInt32 = 0x3456_7890

    /// Bytes before the data that check the password.
    package static let headerSize = 12

    package init(_ password: [UInt8]) {
        for byte in password { stir(byte) }
    }

    private mutating func stir(_ byte: UInt8) {
        key0 = Self.crc(key0, byte)
        key1 = (key1 &+ key0 & 0xff) &* 134_775_813 &+ 1
        key2 = Self.crc(key2, UInt8(key1 >> 24))
    }

    /// One step of CRC-32, whose inversions zlib does and this cipher does not.
    private static func crc(_ value: UInt32, _ byte: UInt8) -> UInt32 {
        var result = value ^ UInt32(byte)
        result = table[Int(result & 0xff)] ^ result >> 8
        return result
    }

    private static let table: [UInt32] = (0..<256).map { index in
        var value = UInt32(index)
        for _ in 0..<8 { value = value & 1 != 0 ? value >> 1 ^ 0xedb8_8320 : value >> 1 }
        return value
    }

    private mutating func decrypt(_ byte: UInt8) -> UInt8 {
        let word = key2 | 2
        let plain = byte ^ UInt8(truncatingIfNeeded: (word &* (word ^ 1)) >> 8)
        stir(plain)
        return plain
    }

    /// Whether the header's last byte is what it should be; 1 of 256 wrong passwords passes.
    package mutating func fits(_ header: ByteView, check: UInt8) -> Bool {
        guard header.count >= Self.headerSize else { return false }
        var last: UInt8 = 0
        for index in 0..<Self.headerSize { last = decrypt(header[index]) }
        return last == check
    }

    /// Decrypts what follows the header; false when a limit is met.
    package mutating func decrypt(_ data: ByteView, into output: inout Output) throws(ModuleError) -> Bool {
        var index = 0
        while index < data.count {
            guard let room = try output.room() else { return false }
            let step = min(room.count, data.count - index)
            for place in 0..<step { room[place] = decrypt(data[index + place]) }
            output.advance(step)
            index += step
        }
        return output.stoppedBy == 0
    }
}

/// AES as WinZip puts it into ZIP: salt, two bytes that check the password, data in counter mode, ten bytes of a MAC.
package struct ZIPAES {
    /// Bytes of the key: 16, 24 or 32.
    private let keySize: Int
    private let salt: ByteView
    private let check: UInt16
    private let data: ByteView

    /// Rounds of the key's derivation, and what they cost for the longest key.
    private static let rounds: UInt32 = 1000
    package static let cost = 8000

    /// - Parameter strength: 1, 2 or 3, of the extra field.
    package init?(_ packed: ByteView, strength: UInt8) {
        guard (1...3).contains(strength) else { return nil }
        keySize = 8 + 8 * Int(strength)
        salt = packed.prefix(keySize / 2)
        guard let check = packed.load(UInt16.self, at: keySize / 2), packed.count >= keySize / 2 + 12 else {
            return nil
        }
        self.check = check
        data = packed.slice(keySize / 2 + 2, packed.count - 10)
    }

    /// The key, when the password passes the check; 1 of 65,536 wrong ones does.
    package func key(_ password: [UInt8]) -> [UInt8]? {
        var derived = [UInt8](repeating: 0, count: 2 * keySize + 2)
        let isDone = CCrypto_pbkdf2(
            CCRYPTO_SHA1, password, password.count, salt.buffer.baseAddress, salt.count, Self.rounds, &derived,
            derived.count)
        guard isDone == 1, UInt16(derived[2 * keySize]) | UInt16(derived[2 * keySize + 1]) << 8 == check else {
            return nil
        }
        return Array(derived.prefix(keySize))
    }

    /// Decrypts the data; false when a limit is met.
    package func decrypt(_ key: [UInt8], into output: inout Output) throws(ModuleError) -> Bool {
        var index = 0
        while index < data.count {
            guard let room = try output.room() else { return false }
            // Whole blocks, so that the counter goes on where it was.
            let step = min(room.count & ~15, data.count - index)
            guard step > 0, let from = data.slice(index, index + step).buffer.baseAddress,
                CCrypto_aes_counter(
                    key, key.count, UInt64(index / 16) + 1, from, step, room.baseAddress) == 1
            else { return false }
            output.advance(step)
            index += step
        }
        return output.stoppedBy == 0
    }
}

/// The CRC-32 of some bytes, or of them behind others of which it is known.
package func checksum(_ bytes: ByteView, after sum: UInt32 = 0) -> UInt32 {
    guard !bytes.isEmpty else { return sum }
    return UInt32(truncatingIfNeeded: crc32_z(UInt(sum), bytes.buffer.baseAddress, bytes.count))
}
