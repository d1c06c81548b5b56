package import BytesE
import CCrypto
package import ModuleKit
package import Unpacking

/// The encryption of Word and Excel files before 2007 with RC4 (MS-OFFCRYPTO 2.3.5 and 2.3.6): streams are encrypted in
/// blocks, each with a key of its own.
package struct StreamEncryption {
    /// With the system's cryptography: a digest of 20 bytes, and keys of a stated size.
    private let isNew: Bool
    private let salt, verifier, hash: [UInt8]
    private let keySize: Int

    /// - Parameter info: begins with the version.
    package init?(_ info: ByteView) {
        guard let major = info.load(UInt16.self, at: 0), let minor = info.load(UInt16.self, at: 2) else { return nil }
        if major == 1, minor == 1 {
            guard info.count >= 52 else { return nil }
            isNew = false
            salt = info.slice(4, 20).array
            verifier = info.slice(20, 36).array
            hash = info.slice(36, 52).array
            keySize = 5
            return
        }
        guard minor == 2, (2...4).contains(major), let size = info.load(UInt32.self, at: 8), size < 4096 else {
            return nil
        }
        let header = info.dropFirst(12)
        let check = header.dropFirst(Int(size))
        guard header.load(UInt32.self, at: 8) == 0x6801, let bits = header.load(UInt32.self, at: 16),
            check.load(UInt32.self, at: 0) == 16, check.count >= 60
        else { return nil }
        isNew = true
        salt = check.slice(4, 20).array
        verifier = check.slice(20, 36).array
        hash = check.slice(40, 60).array
        keySize = bits == 0 ? 5 : Int(bits / 8)
        guard (5...16).contains(keySize) else { return nil }
    }

    /// What every block's key is made of, when the password is right.
    package func key(_ password: [UInt8]) -> [UInt8]? {
        let base: [UInt8]
        if isNew {
            base = digest(CCRYPTO_SHA1, salt + utf16(password))
        } else {
            var material: [UInt8] = []
            let first = digest(CCRYPTO_MD5, utf16(password)).prefix(5)
            for _ in 0..<16 { material += first + salt }
            base = Array(digest(CCRYPTO_MD5, material).prefix(5))
        }
        var stream = RC4(blockKey(base, 0))
        let plain = stream.decrypt(verifier)
        return digest(isNew ? CCRYPTO_SHA1 : CCRYPTO_MD5, plain) == stream.decrypt(hash) ? base : nil
    }

    private func blockKey(_ base: [UInt8], _ block: Int) -> [UInt8] {
        var material = base
        for shift in [0, 8, 16, 24] { material.append(UInt8(truncatingIfNeeded: block >> shift)) }
        guard isNew else { return digest(CCRYPTO_MD5, material) }
        var key = Array(digest(CCRYPTO_SHA1, material).prefix(keySize))
        // Keys of 40 bits are filled up.
        if keySize == 5 { key += [UInt8](repeating: 0, count: 11) }
        return key
    }

    /// Decrypts bytes that are one block.
    func decrypted(_ data: ByteView, _ key: [UInt8], block: Int) -> [UInt8] {
        var stream = RC4(blockKey(key, block))
        return stream.decrypt(data.array)
    }

    /// Decrypts a whole stream; places that are not encrypted use up the key too.
    ///
    /// - Parameters:
    ///   - blockSize: of the stream's kind, a power of two.
    ///   - isPlain: says for a place, in ascending order, whether it is not encrypted.
    /// - Returns: false when a limit is met.
    package func decrypt(
        _ data: ByteView, _ key: [UInt8], blockSize: Int, into output: inout Output, isPlain: (Int) -> Bool
    ) throws(ModuleError) -> Bool {
        var stream = RC4([])
        var index = 0
        while index < data.count {
            guard let room = try output.room() else { return false }
            let step = min(room.count, data.count - index)
            for place in 0..<step {
                let at = index + place
                if at & (blockSize - 1) == 0 { stream = RC4(blockKey(key, at / blockSize)) }
                let pad = stream.next()
                room[place] = isPlain(at) ? data[at] : data[at] ^ pad
            }
            output.advance(step)
            index += step
        }
        return output.stoppedBy == 0
    }
}

/// The records of an Excel stream (MS-XLS 2.1.4) one after another: which bytes are not encrypted.
package struct SheetRecords {
    private let data: ByteView
    /// The record that was asked for last.
    private var start = 0
    private var end = 0
    private var plain = 0

    package init(_ data: ByteView) { self.data = data }

    /// What the first records say about encryption; nil when there is nothing of it.
    package var encryption: ByteView? {
        var place = 0
        for _ in 0..<8 {
            guard let kind = data.load(UInt16.self, at: place), let size = data.load(UInt16.self, at: place + 2) else {
                return nil
            }
            // FILEPASS; 1: RC4 in one of its forms.
            if kind == 0x2f {
                return data.load(UInt16.self, at: place + 4) == 1 ? data.slice(place + 6, place + 4 + Int(size)) : nil
            }
            place += 4 + Int(size)
        }
        return nil
    }

    /// What they say about the oldest encryption; nil when there is nothing of it. Before Excel 97 there was no other.
    package var obfuscation: SheetObfuscation? {
        var place = 0
        for _ in 0..<8 {
            guard let kind = data.load(UInt16.self, at: place), let size = data.load(UInt16.self, at: place + 2) else {
                return nil
            }
            if kind == 0x2f {
                let info = data.slice(place + 4, place + 4 + Int(size))
                if size == 4 { return SheetObfuscation(info) }
                return info.load(UInt16.self, at: 0) == 0 ? SheetObfuscation(info.dropFirst(2)) : nil
            }
            place += 4 + Int(size)
        }
        return nil
    }

    /// Bytes of the record that was asked for last, without its four first.
    package var contentSize: Int { end - start - 4 }

    /// Whether the stream says that it is encrypted in whatever way.
    package var isEncrypted: Bool {
        var place = 0
        for _ in 0..<8 {
            guard let kind = data.load(UInt16.self, at: place), let size = data.load(UInt16.self, at: place + 2) else {
                return false
            }
            if kind == 0x2f { return true }
            place += 4 + Int(size)
        }
        return false
    }

    /// Whether a byte is not encrypted; places are asked for in ascending order.
    package mutating func isPlain(_ place: Int) -> Bool {
        while place >= end {
            start = end
            let kind = data.load(UInt16.self, at: start) ?? 0
            let size = Int(data.load(UInt16.self, at: start + 2) ?? 0)
            end = start + 4 + size
            switch kind {
            // The beginning of a stream, the passwords themselves, locks and revisions.
            case 0x809, 0x2f, 0x194, 0x195, 0xe1, 0x196, 0x138: plain = end
            // Of a sheet's record the place where it begins.
            case 0x85: plain = start + 8
            default: plain = start + 4
            }
        }
        return place < plain
    }
}
