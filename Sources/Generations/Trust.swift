import CCrypto
import Glibc
import Platform

/// Whose modules are believed: the keys in @ETCDIR@/certs.
///
/// Code modules are signed by one of the publishers' keys in `certs/modules/*.pub`; generations by the key that was made
/// at installation, `certs/generation.pub` (its private half, `generation.key`, is readable by root alone).
/// A key file holds 64 hexadecimal digits.
package struct Trust: Sendable {
    /// Ed25519 public keys of publishers of code, 32 bytes each, one after another.
    package var publishers: [UInt8]
    /// The public key that signs generation manifests.
    package var generationKey: [UInt8]

    package init(publishers: [UInt8], generationKey: [UInt8]) {
        self.publishers = publishers
        self.generationKey = generationKey
    }

    /// Reads the keys from a directory such as @ETCDIR@/certs.
    package init(directory: String) throws(GenerationError) {
        do throws(SystemError) {
            var publishers: [UInt8] = []
            let modules = "\(directory)/modules"
            for name in try Files.names(in: modules) where name.hasSuffix(".pub") {
                publishers += try Self.key("\(modules)/\(name)").get()
            }
            self.publishers = publishers
            generationKey = try Self.key("\(directory)/generation.pub").get()
        } catch {
            throw GenerationError("\(error); make keys with esets_mod keygen")
        }
    }

    /// A key file's 32 bytes.
    private static func key(_ path: String) -> Result<[UInt8], SystemError> {
        do throws(SystemError) {
            let text = try Files.text(path, limit: 4096)
            let digits = text.prefix { !$0.isWhitespace }
            guard let bytes = bytesOfHexadecimal(digits), bytes.count == 32 else {
                throw SystemError("read key", path, code: EINVAL)
            }
            return .success(bytes)
        } catch {
            return .failure(error)
        }
    }

    /// Reads a private key (its seed) or a public key.
    package static func readKey(_ path: String) throws(GenerationError) -> [UInt8] {
        do throws(SystemError) { return try key(path).get() } catch { throw GenerationError(error) }
    }

    /// Makes a key pair: `path` for the private half (mode 0600), `publicPath` for the public one. Existing files stay.
    package static func makeKeys(private path: String, public publicPath: String) throws(GenerationError) {
        guard !Files.exists(path), !Files.exists(publicPath) else {
            throw GenerationError("\(path): a key is there already; move it away first")
        }
        var seed = [UInt8](repeating: 0, count: 32)
        var publicKey = [UInt8](repeating: 0, count: 32)
        guard CCrypto_ed25519_generate(&seed, &publicKey) == 1 else {
            throw GenerationError("the system gave no random bytes for a key")
        }
        do throws(SystemError) {
            for target in [path, publicPath] { try Files.makeDirectory(Files.parent(of: target)) }
            try Files.replace(path, with: Array("\(hexadecimal(seed))\n".utf8), mode: 0o600)
            try Files.replace(publicPath, with: Array("\(hexadecimal(publicKey))\n".utf8), mode: 0o644)
        } catch {
            throw GenerationError(error)
        }
    }
}
