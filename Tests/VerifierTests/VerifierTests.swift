import Bytes
import CCrypto
import CModuleABI
import DataModule
import Glibc
import Platform
import Testing
import Verifier

/// A data module as the compiler writes it, and changes of it that must be refused.
struct VerifierTests {
    private func dataModule(_ content: [UInt8] = Array("0123456789abcdef".utf8)) throws -> [UInt8] {
        let file = try Descriptor.memory(name: "module")
        let writer = try DataModuleWriter(
            file: file,
            manifest: DataManifest(id: "em002.test", file: "em002", version: "7", description: "for tests"))
        try writer.append(content)
        _ = try writer.finish()
        var bytes = [UInt8](repeating: 0, count: Int(try file.size()))
        _ = try bytes.withUnsafeMutableBytes { try file.read(at: 0, into: $0) }
        return bytes
    }

    private func refusal(_ bytes: [UInt8], keys: [UInt8] = [], thorough: Bool = true) -> String? {
        bytes.withUnsafeBufferPointer { file in
            keys.withUnsafeBufferPointer { keys in
                do throws(Refusal) {
                    _ = try Verifier.verify(ByteView(file), keys: ByteView(keys), thorough: thorough)
                    return nil
                } catch {
                    return String(decoding: error.text, as: UTF8.self)
                }
            }
        }
    }

    /// Offsets of the program headers of a type.
    private func programHeaders(_ bytes: [UInt8], type: UInt32) -> [Int] {
        bytes.withUnsafeBytes { raw in
            let table = Int(raw.loadUnaligned(fromByteOffset: 32, as: UInt64.self))
            let count = Int(raw.loadUnaligned(fromByteOffset: 56, as: UInt16.self))
            return (0..<count).map { table + 56 * $0 }.filter {
                raw.loadUnaligned(fromByteOffset: $0, as: UInt32.self) == type
            }
        }
    }

    @Test func aDataModuleIsAccepted() throws {
        let bytes = try dataModule()
        try bytes.withUnsafeBufferPointer { buffer in
            let verified = try Verifier.verify(ByteView(buffer), keys: ByteView(), thorough: true)
            #expect(verified.manifest.id.array == Array("em002.test".utf8))
            #expect(verified.manifest.kind == .data)
            #expect(verified.data?.array == Array("0123456789abcdef".utf8))
        }
    }

    @Test(arguments: [(UInt8(2), "writable"), (UInt8(1), "executable")])
    func segmentsThatAreNotReadOnlyAreRefused(_ flag: UInt8, _ word: String) throws {
        var bytes = try dataModule()
        let header = try #require(programHeaders(bytes, type: 1).first)
        bytes[header + 4] |= flag
        #expect(refusal(bytes)?.contains("a data module with") == true)
        #expect(refusal(bytes)?.contains(word) == true)
    }

    @Test(arguments: [
        (1, "needs a library"), (12, "an initializer"), (25, "an initializer"), (7, "relocations"),
        (23, "relocations"), (29, "dynamic entry that data does not need"),
    ])
    func dynamicEntriesThatWouldBeWorkAreRefused(_ tag: UInt8, _ words: String) throws {
        var bytes = try dataModule()
        let header = try #require(programHeaders(bytes, type: 2).first)
        let dynamic = bytes.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: header + 8, as: UInt64.self)) }
        bytes[dynamic] = tag
        #expect(refusal(bytes)?.contains(words) == true, "\(refusal(bytes) ?? "accepted")")
    }

    @Test func everyTruncationIsRefused() throws {
        let bytes = try dataModule()
        let needed = try #require(programHeaders(bytes, type: 1).first)
        let loaded = bytes.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: needed + 32, as: UInt64.self)) }
        for length in stride(from: 0, to: min(loaded, bytes.count), by: 7) {
            #expect(refusal(Array(bytes[..<length])) != nil, "accepted at \(length) of \(bytes.count)")
        }
    }

    @Test func mutationsNeverTrap() throws {
        let original = try dataModule()
        var random = SystemRandomNumberGenerator()
        for _ in 0..<3_000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                bytes[index] = UInt8.random(in: 0...255, using: &random)
            }
            _ = refusal(bytes)
        }
    }

    @Test func signaturesCoverEveryByteButTheirOwn() throws {
        var bytes = try dataModule()
        var seed = [UInt8](repeating: 0, count: 32)
        var key = [UInt8](repeating: 0, count: 32)
        #expect(CCrypto_ed25519_generate(&seed, &key) == 1)
        func verify(_ bytes: [UInt8], _ keys: [UInt8]) -> String? {
            bytes.withUnsafeBufferPointer { file in
                keys.withUnsafeBufferPointer { keys in
                    do throws(Refusal) {
                        let notes = try Notes(Image(ByteView(file)))
                        try Signature.verify(notes, file: ByteView(file), keys: ByteView(keys))
                        return nil
                    } catch {
                        return String(decoding: error.text, as: UTF8.self)
                    }
                }
            }
        }
        #expect(verify(bytes, key) == "signature: the module is not signed")
        let offset = try bytes.withUnsafeBufferPointer { try Notes(Image(ByteView($0))).signatureOffset }
        let note = try #require(
            bytes.withUnsafeBufferPointer { Signature.sign(ByteView($0), signatureOffset: offset, seed: seed) })
        bytes.replaceSubrange(offset..<offset + note.count, with: note)
        #expect(verify(bytes, key) == nil)
        #expect(
            verify(bytes, [UInt8](repeating: 9, count: 32)) == "signature: signed with a key that is not trusted here")
        var changed = bytes
        changed[changed.count - 1] ^= 1
        #expect(verify(changed, key)?.hasPrefix("signature: the signature is wrong") == true)
    }
}
