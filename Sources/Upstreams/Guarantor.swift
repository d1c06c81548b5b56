import CCrypto
import Fetching
import Glibc
import Platform
import Updates

/// Checks why a plain file is believed.
struct Guarantor {
    private let job: UpstreamJob
    private static let verifier = FetchPlan.verifier

    init(_ job: UpstreamJob) {
        self.job = job
    }

    /// - Parameters:
    ///   - path: of the file that was fetched.
    ///   - remote: its name at the server.
    func check(_ path: String, _ remote: String, _ server: ServerList.Server) throws(FetchError) {
        switch job.upstream.check {
        case .pinned, .content: return
        case .tls: return
        case .key(let key): try checkKey(key, path, remote, server)
        case .keyring(let keyring): try checkKeyring(keyring, path, remote, server)
        case .beside: try checkBeside(path, remote, server)
        }
    }

    private func beside(
        _ remote: String, _ ending: String, _ server: ServerList.Server
    ) throws(FetchError) -> [UInt8]? {
        try job.run.fetcher.bytes(
            WebAddress.join(server.base, remote + ending), limit: 1 << 16, credentials: server.credentials)
    }

    // MARK: Ed25519

    private func checkKey(
        _ key: String, _ path: String, _ remote: String, _ server: ServerList.Server
    ) throws(FetchError) {
        guard let digits = try? Files.text(key, limit: 4096).prefix(while: { !$0.isWhitespace }),
            let publicKey = Self.bytes(hexadecimal: digits), publicKey.count == 32
        else { throw FetchError(.files, "\(key): not a file with a public key (64 hexadecimal digits)") }
        guard let text = try beside(remote, ".sig", server) else {
            throw FetchError(.damaged, "\(remote): the server has no signature \(remote).sig")
        }
        // As it is, or as digits.
        let signature =
            text.count == 64
            ? text : Self.bytes(hexadecimal: String(decoding: text, as: UTF8.self).prefix { !$0.isWhitespace })
        let content: [UInt8]
        do throws(SystemError) { content = try Files.read(path) } catch {
            throw FetchError(.files, error.description)
        }
        guard let signature, signature.count == 64,
            CCrypto_ed25519_verify(publicKey, content, content.count, signature) == 1
        else { throw FetchError(.damaged, "\(remote): the signature \(remote).sig is not right by \(key)") }
    }

    static func bytes(hexadecimal digits: some StringProtocol) -> [UInt8]? {
        let digits = Array(digits.utf8)
        guard digits.count % 2 == 0 else { return nil }
        var result: [UInt8] = []
        for at in stride(from: 0, to: digits.count, by: 2) {
            guard let high = value(digits[at]), let low = value(digits[at + 1]) else { return nil }
            result.append(high << 4 | low)
        }
        return result
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        if digit &- 0x30 < 10 { return digit &- 0x30 }
        let letter = (digit | 0x20) &- 0x61
        return letter < 6 ? letter + 10 : nil
    }

    // MARK: OpenPGP

    private func checkKeyring(
        _ keyring: String, _ path: String, _ remote: String, _ server: ServerList.Server
    ) throws(FetchError) {
        guard Files.exists(Self.verifier) else {
            throw FetchError(
                .files, "\(remote): its signature cannot be checked: install gpgv, or choose another update_checksum")
        }
        guard Files.exists(keyring) else { throw FetchError(.files, "\(keyring): there is no such keyring") }
        var found = try beside(remote, ".asc", server)
        if found == nil { found = try beside(remote, ".sig", server) }
        guard let signature = found else {
            throw FetchError(.damaged, "\(remote): the server has no signature \(remote).asc")
        }
        let beside = "\(path).asc"
        defer { unlink(beside) }
        do throws(SystemError) {
            try Files.replace(beside, with: signature)
            let quiet = try Descriptor.open("/dev/null", O_RDWR)
            let child = try ChildProcess.spawn(
                Self.verifier,
                arguments: [
                    "gpgv", "--quiet", "--homedir", Files.parent(of: path), "--keyring", keyring, beside, path,
                ],
                environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C"],
                descriptors: [(0, quiet.raw), (1, quiet.raw), (2, quiet.raw)])
            guard try ChildProcess.wait(child) == .exited(0) else {
                throw SystemError("\(remote): its signature is not right by the keys in \(keyring)", code: EBADMSG)
            }
        } catch {
            throw error.code == EBADMSG ? FetchError(.damaged, error.call) : FetchError(.files, error.description)
        }
    }

    // MARK: Checksums

    private func checkBeside(_ path: String, _ remote: String, _ server: ServerList.Server) throws(FetchError) {
        do throws(SystemError) {
            if let text = try? beside(remote, ".sha512", server) {
                try compare(text, try FileDigest.sha512(path), remote)
            } else if let text = try? beside(remote, ".sha256", server) {
                try compare(text, try FileDigest.sha256(path), remote)
            } else {
                throw SystemError("\(remote): the server has neither \(remote).sha512 nor .sha256", code: EBADMSG)
            }
        } catch {
            throw error.code == EBADMSG ? FetchError(.damaged, error.call) : FetchError(.files, error.description)
        }
    }

    /// The first word of the file is the digest.
    private func compare(_ text: [UInt8], _ digest: String, _ remote: String) throws(SystemError) {
        let word = String(decoding: text, as: UTF8.self).prefix { !$0.isWhitespace }.lowercased()
        guard word == digest else {
            throw SystemError("\(remote): it is not the file that the checksum beside it is for", code: EBADMSG)
        }
    }
}
