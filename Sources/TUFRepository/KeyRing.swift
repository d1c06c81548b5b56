import JSON
import Platform
package import TUF

/// The private keys at hand: PEM files in some folders, each with its public half beside it (`NAME.pem`, `NAME.pub`), so
/// that a passphrase is asked for only when its key is needed.
package final class KeyRing {
    /// Where keys are looked for; new ones go to the first.
    package let directories: [String]
    private let passphrase: () -> String?
    private var asked: String?
    private var paths: [String: String] = [:]
    private var open: [String: SigningKey] = [:]

    /// - Parameter passphrase: asked once, when an encrypted key is needed or is to be made; nil: there is none.
    package init(_ directories: [String], passphrase: @escaping () -> String?) throws(RepositoryError) {
        self.directories = directories
        self.passphrase = passphrase
        for directory in directories where Files.exists(directory) {
            for name in try files({ () throws(SystemError) in try Files.names(in: directory) })
            where name.hasSuffix(".pem") {
                let path = "\(directory)/\(name)"
                let other = Self.publicPath(path)
                if Files.exists(other) {
                    paths[try Self.readPublic(other).keyID] = path
                } else {
                    let key = try read(path)
                    paths[key.keyID] = path
                    open[key.keyID] = key
                }
            }
        }
    }

    private static func publicPath(_ path: String) -> String { "\(path.dropLast(4)).pub" }

    /// Reads a public key: as metadata has it, a JSON object, or PEM.
    package static func readPublic(_ path: String) throws(RepositoryError) -> PublicKey {
        let bytes = try files { () throws(SystemError) in try Files.read(path, limit: 1 << 16) }
        if let key = PublicKey(pem: bytes) { return key }
        guard let json = try? JSONValue(parsing: bytes), let key = PublicKey(json), key.isUsable else {
            throw RepositoryError(
                .keys, "\(path): no public key that can be used (PEM, or the JSON object of metadata)")
        }
        return key
    }

    /// The private key with this id, if it is at hand.
    func key(_ keyID: String) throws(RepositoryError) -> SigningKey? {
        if let key = open[keyID] { return key }
        guard let path = paths[keyID] else { return nil }
        let key = try read(path)
        guard key.keyID == keyID else {
            throw RepositoryError(.keys, "\(path): another key than \(Self.publicPath(path)) says")
        }
        open[keyID] = key
        return key
    }

    /// Whether the private key is at hand, without opening it.
    package func has(_ keyID: String) -> Bool { paths[keyID] != nil }

    /// The file of a private key.
    package func path(_ keyID: String) -> String? { paths[keyID] }

    private func read(_ path: String) throws(RepositoryError) -> SigningKey {
        let pem = try files { () throws(SystemError) in try Files.read(path, limit: 1 << 16) }
        if let key = SigningKey.read(pem: pem, passphrase: nil) { return key }
        guard String(decoding: pem, as: UTF8.self).contains("ENCRYPTED") else {
            throw RepositoryError(.keys, "\(path): no Ed25519, P-256 or RSA key in PEM form")
        }
        guard let passphrase = ask() else {
            throw RepositoryError(
                .keys, "\(path): encrypted; give its passphrase with --passphrase-file or ESETS_PUBLISH_PASSPHRASE")
        }
        guard let key = SigningKey.read(pem: pem, passphrase: passphrase) else {
            throw RepositoryError(.keys, "\(path): the passphrase is wrong")
        }
        return key
    }

    private func ask() -> String? {
        if asked == nil { asked = passphrase() }
        return asked.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Makes a key and its files.
    func make(_ type: KeyType, for role: String, encrypted: Bool) throws(RepositoryError) -> SigningKey {
        var passphrase: String?
        if encrypted {
            passphrase = ask()
            guard passphrase != nil else {
                throw RepositoryError(
                    .keys, "encrypted keys need a passphrase: --passphrase-file or ESETS_PUBLISH_PASSPHRASE")
            }
        }
        let key = try SigningKey.make(type)
        let directory = directories[0]
        let path = "\(directory)/\(role)-\(key.keyID.prefix(8)).pem"
        let pem = try key.pem(passphrase: passphrase)
        try files { () throws(SystemError) in
            try Files.makeDirectory(directory, mode: 0o700)
            try Files.replace(path, with: pem, mode: 0o600)
            try Files.replace(Self.publicPath(path), with: key.publicKey.json.bytes(.pretty) + [0x0A])
        }
        paths[key.keyID] = path
        open[key.keyID] = key
        return key
    }
}
