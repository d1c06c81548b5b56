package import BytesE
import CCrypto
package import ModuleKit
package import Unpacking

/// AES in CBC mode over whole blocks; nil for a key of another size.
func cbc(_ key: [UInt8], _ iv: [UInt8], _ data: [UInt8]) -> [UInt8]? {
    var result = [UInt8](repeating: 0, count: data.count)
    return CCrypto_aes_cbc_decrypt(key, key.count, iv, data, data.count, &result) == 1 ? result : nil
}

/// Decrypts a stream, piece by piece. What is behind its last whole block is padding or damage, and left out.
///
/// - Parameter size: bytes that are wanted; what follows them is padding.
/// - Returns: false when a limit was met.
package func decryptCBC(
    _ packed: ByteView, _ key: [UInt8], _ vector: [UInt8], size: Int, into output: inout Output
) throws(ModuleError) -> Bool {
    try forEachPiece(packed, key, vector, size: size) { (plain: ByteView) throws(ModuleError) in
        try output.check()
        return try output.append(plain)
    }
}

/// The CRC-32 of what a stream decrypts to, without keeping it: how a key is tried on stored content of any size. Nil for a
/// key of another size.
package func checksumCBC(
    _ packed: ByteView, _ key: [UInt8], _ vector: [UInt8], size: Int, _ scan: ScanContext
) throws(ModuleError) -> UInt32? {
    var sum: UInt32 = 0
    let isWhole = try forEachPiece(packed, key, vector, size: size) { (plain: ByteView) throws(ModuleError) in
        try scan.check()
        sum = checksum(plain, after: sum)
        return true
    }
    return isWhole ? sum : nil
}

/// Lends what a stream decrypts to; false when `body` wants no more, or the key has another size.
private func forEachPiece(
    _ packed: ByteView, _ key: [UInt8], _ vector: [UInt8], size: Int,
    _ body: (ByteView) throws(ModuleError) -> Bool
) throws(ModuleError) -> Bool {
    var vector = vector
    var index = 0
    var left = size
    let end = packed.count & ~15
    while index < end, left > 0 {
        let piece = packed.slice(index, min(end, index + 65536))
        guard let plain = cbc(key, vector, piece.array) else { return false }
        vector = piece.dropFirst(piece.count - 16).array
        index += piece.count
        let goesOn = try plain.span.withUnsafeBufferPointer { buffer throws(ModuleError) in
            try body(ByteView(buffer).prefix(left))
        }
        guard goesOn else { return false }
        left -= min(left, plain.count)
    }
    return true
}
