package import Bytes
import Glibc
import Platform
import Verifier

/// Verifies any bytes as a module file, and really loads what the verifier accepts as data: the system's loader
/// checks next to nothing, so whatever passes the verifier must be safe there. Traps, or crashes, when a promise
/// is broken. For fuzzing and replay tests.
///
/// Code is never loaded. The key whose 32 bytes of seed are all 1 may sign it.
package func fuzzModule(_ bytes: ByteView) {
    let verified = fuzzPublicKey.withUnsafeBufferPointer { keys in
        let thorough = try? Verifier.verify(bytes, keys: ByteView(keys), thorough: true)
        let quick = try? Verifier.verify(bytes, keys: ByteView(keys), thorough: false)
        precondition(thorough == nil || quick != nil, "a quick look finds more than a thorough one")
        return quick
    }
    guard let verified else { return }
    _ = verified.image.neededLibraries.map(\.array)
    _ = verified.manifest.value("after")?.array
    guard verified.manifest.kind == .data else { return }
    guard let data = verified.data else { preconditionFailure("a data module without data") }
    do {
        let file = try Descriptor.sealed(name: "esets-fuzz", UnsafeRawBufferPointer(bytes.buffer))
        let library = try Library(path: "/proc/self/fd/\(file.raw)", name: "fuzz")
        let address = try library.symbol("em_module_data").assumingMemoryBound(to: UInt8.self)
        let loaded = ByteView(base: UnsafePointer(address), count: data.count)
        // The bytes that were verified are the bytes that are used.
        precondition(loaded.equals(data), "the system's loader has other data than the verifier")
    } catch {
        // What ld.so refuses harms nobody.
    }
}

/// The Ed25519 public key that belongs to a seed of 32 bytes of 1.
package let fuzzPublicKey: [UInt8] = [
    0x8a, 0x88, 0xe3, 0xdd, 0x74, 0x09, 0xf1, 0x95, 0xfd, 0x52, 0xdb, 0x2d, 0x3c, 0xba, 0x5d, 0x72,
    0xca, 0x67, 0x09, 0xbf, 0x1d, 0x94, 0x12, 0x1b, 0xf3, 0x74, 0x88, 0x01, 0xb4, 0x0f, 0x6f, 0x5c,
]
