import Glibc
package import Platform

/// One object on its way into quarantine: bytes are appended in pieces, nothing is visible until `commit`.
/// Dropping the writer without a commit leaves nothing behind.
package final class QuarantineWriter {
    private let directory: String
    private let path: String
    private let file: Descriptor
    private let digest: ContentDigest
    private var buffer: [UInt8] = []
    private var size: UInt64 = 0
    private var isCommitted = false

    init(directory: String) throws(QuarantineError) {
        guard let digest = ContentDigest() else { throw .digest }
        self.digest = digest
        self.directory = directory
        path = "\(directory)/.new.\(getpid()).\(Clock.now).\(UInt64.random(in: 0 ... .max))"
        do throws(SystemError) {
            file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        } catch {
            throw QuarantineError(error)
        }
    }

    deinit {
        if !isCommitted { unlink(path) }
    }

    /// Appends content.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(QuarantineError) {
        guard digest.update(bytes) else { throw .digest }
        size += UInt64(bytes.count)
        var position = 0
        while position < bytes.count {
            let piece = UnsafeRawBufferPointer(rebasing: bytes[position..<min(position + 65_536, bytes.count)])
            buffer.removeAll(keepingCapacity: true)
            buffer.append(contentsOf: piece)
            QuarantineMask.apply(to: &buffer)
            try system { () throws(SystemError) in try file.writeAll(buffer) }
            position += piece.count
        }
    }

    /// Appends content.
    package func append(_ bytes: [UInt8]) throws(QuarantineError) {
        let result = bytes.withUnsafeBytes { buffer -> Result<Void, QuarantineError> in
            do throws(QuarantineError) { return .success(try append(buffer)) } catch { return .failure(error) }
        }
        try result.get()
    }

    /// Appends the whole content of a file, from its beginning.
    package func append(_ content: Descriptor) throws(QuarantineError) {
        var piece = [UInt8](repeating: 0, count: 65_536)
        var offset: UInt64 = 0
        while true {
            let result = piece.withUnsafeMutableBytes { buffer -> Result<Int, SystemError> in
                do throws(SystemError) {
                    return .success(try content.read(at: offset, into: buffer))
                } catch {
                    return .failure(error)
                }
            }
            let count = try system { () throws(SystemError) in try result.get() }
            guard count > 0 else { return }
            try append(Array(piece[..<count]))
            offset += UInt64(count)
        }
    }

    /// Makes the object permanent: on disk before it is visible, visible before this returns. Size and hash of the
    /// record are filled in. Content that is there already is not stored twice; its record is added.
    package func commit(_ record: QuarantineRecord) throws(QuarantineError) -> QuarantineID {
        guard let digests = digest.finish() else { throw .digest }
        let id = QuarantineID(digest: digests.sha1)
        var complete = record
        complete.size = size
        complete.hash = hexadecimal(digests.sha256)
        try system { () throws(SystemError) in
            try file.synchronize()
            let lock = try DirectoryLock(directory)
            _ = try checked("rename", path) { rename(path, "\(directory)/\(id).dat") }
            isCommitted = true
            try RecordFile(directory: directory, id: id).add(complete)
            giveToOwner(["\(directory)/\(id).dat", "\(directory)/\(id).inf"])
            withExtendedLifetime(lock) {}
        }
        return id
    }

    /// What root puts in belongs to the owner of the directory too, like everything else there: the agents read it.
    private func giveToOwner(_ paths: [String]) {
        var owner = stat()
        guard geteuid() == 0, stat(directory, &owner) == 0, owner.st_uid != 0 else { return }
        for path in paths { _ = lchown(path, owner.st_uid, owner.st_gid) }
    }

    private func system<T>(_ body: () throws(SystemError) -> T) throws(QuarantineError) -> T {
        do throws(SystemError) { return try body() } catch { throw QuarantineError(error) }
    }
}

extension QuarantineError {
    /// Tells a full disk from other failures.
    init(_ error: SystemError) {
        switch error.code {
        case ENOSPC, EDQUOT, EFBIG: self = .full(error)
        default: self = .system(error)
        }
    }
}

/// How content is stored so that no scanner on the machine finds it: each byte XOR 0xA5.
enum QuarantineMask {
    static func apply(to bytes: inout [UInt8]) {
        for i in bytes.indices { bytes[i] ^= 0xA5 }
    }
}
