package import Platform

extension FetchPlan {
    /// The verifier of GnuPG, which trusts exactly the keys of the keyring that it is given.
    package static let verifier = "/usr/bin/gpgv"

    /// All that the fetching process may do once it has read this plan.
    package var confinement: Confinement {
        var result = Confinement()
        result.writable = [staging, "/dev/null"]
        result.readable = [mirror, certificates, offline, authorities]
        for upstream in upstreams {
            result.readable += [upstream.root, upstream.trusted]
            switch upstream.check {
            case .key(let path): result.readable.append(path)
            case .keyring(let path):
                result.readable += [path, "/etc/gcrypt", "/usr/share/gnupg"]
                if !result.programs.contains(Self.verifier) { result.programs.append(Self.verifier) }
            case .pinned, .beside, .tls, .content: break
            }
        }
        result.readable.removeAll { $0.isEmpty }
        result.mayConnect = offline.isEmpty
        return result
    }
}
