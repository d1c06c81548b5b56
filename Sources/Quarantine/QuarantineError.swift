package import Platform

/// Why the quarantine could not do what it should.
package enum QuarantineError: Error, Sendable, CustomStringConvertible {
    /// The file system has no room or the quota is used up: what should have been kept must not be lost.
    case full(SystemError)
    /// Another system call failed.
    case system(SystemError)
    /// There is no such object.
    case missing(QuarantineID)
    /// The stored content is not what was put in.
    case damaged(QuarantineID)
    /// libcrypto gave no digest.
    case digest

    package var description: String {
        switch self {
        case .full(let error): "quarantine is full: \(error); free space in it or delete objects with esets_quar"
        case .system(let error): "quarantine: \(error)"
        case .missing(let id): "quarantine: there is no object \(id)"
        case .damaged(let id): "quarantine: the content of \(id) is damaged (its digest differs); restore a backup"
        case .digest: "quarantine: no digest of the content could be computed; check the OpenSSL installation"
        }
    }
}
