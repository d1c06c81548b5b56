import CCrypto
import Glibc
import Platform

/// A file on its way into the repository: copied and hashed at once, so that what is signed is what is stored.
struct IncomingFile {
    /// The copy, in the folder of targets, under a name that no target has.
    let path: String
    let length: Int
    let sha256: [UInt8]

    /// Copies a regular file.
    init(copying source: String, into directory: String) throws(SystemError) {
        // O_NONBLOCK: opening a named pipe must not wait for a writer.
        let from = try Descriptor.open(source, O_RDONLY | O_NONBLOCK | O_NOCTTY)
        guard try from.status().st_mode & S_IFMT == S_IFREG else { throw SystemError("open", source, code: EINVAL) }
        try self.init(into: directory) { buffer throws(SystemError) in
            try checkedCount("read", source) { read(from.raw, buffer.baseAddress, buffer.count) }
        }
    }

    /// Stores bytes.
    init(_ bytes: [UInt8], into directory: String) throws(SystemError) {
        var offset = 0
        try self.init(into: directory) { buffer throws(SystemError) in
            let count = min(buffer.count, bytes.count - offset)
            bytes[offset..<(offset + count)].withUnsafeBytes { buffer.copyMemory(from: $0) }
            offset += count
            return count
        }
    }

    private init(
        into directory: String, _ fill: (UnsafeMutableRawBufferPointer) throws(SystemError) -> Int
    ) throws(SystemError) {
        let path = "\(directory)/.incoming-\(getpid())"
        try Files.makeDirectory(directory)
        let to = try Descriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o644)
        guard let hash = CCrypto_hash_new(CCRYPTO_SHA256) else { throw SystemError("SHA-256", code: ENOMEM) }
        defer { CCrypto_hash_free(hash) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        var length = 0
        do throws(SystemError) {
            while true {
                let count = try fill(buffer)
                if count == 0 { break }
                length += count
                guard CCrypto_hash_update(hash, buffer.baseAddress, count) == 1 else {
                    throw SystemError("SHA-256", code: EIO)
                }
                try to.writeAll(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
            var digest = [UInt8](repeating: 0, count: 32)
            guard CCrypto_hash_final(hash, &digest) == 1 else { throw SystemError("SHA-256", code: EIO) }
            _ = try checked("fchmod", path) { fchmod(to.raw, 0o644) }
            (self.path, self.length, sha256) = (path, length, digest)
        } catch {
            unlink(path)
            throw error
        }
    }

    /// Gives it its place. It is on the disk for certain when the metadata that name it are published.
    func move(to target: String) throws(SystemError) {
        try Files.makeDirectory(Files.parent(of: target))
        _ = try checked("rename", target) { rename(path, target) }
    }

    func discard() { unlink(path) }
}
