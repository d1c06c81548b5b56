import Glibc

/// A read-only mapping of a file, unmapped when the last reference goes.
///
/// Only files that nobody can truncate (sealed memfds, unnamed spool files, root-owned modules) may be mapped: a
/// truncated mapping kills the process with SIGBUS. All others are copied.
package final class Mapping: @unchecked Sendable {
    /// The bytes; valid as long as this object lives. Never written to.
    package let bytes: UnsafeRawBufferPointer
    /// Size of the whole mapping.
    private let mapped: Int

    /// Maps the first `size` bytes.
    package init(_ file: Descriptor, size: Int) throws(SystemError) {
        guard size > 0 else {
            (bytes, mapped) = (UnsafeRawBufferPointer(start: nil, count: 0), 0)
            return
        }
        guard let base = mmap(nil, size, PROT_READ, MAP_PRIVATE, file.raw, 0), base != MAP_FAILED else {
            throw SystemError("mmap")
        }
        bytes = UnsafeRawBufferPointer(start: base, count: size)
        mapped = size
    }

    /// Maps a whole file.
    package convenience init(path: String) throws(SystemError) {
        let file = try Descriptor.open(path, O_RDONLY)
        try self.init(file, size: Int(try file.size()))
    }

    /// Copies a regular file that somebody else may change into memory of this process. When it becomes shorter
    /// meanwhile, the bytes that were there.
    package init(copyOf path: String) throws(SystemError) {
        // O_NONBLOCK: opening a named pipe must not wait for a writer.
        let file = try Descriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
        let status = try file.status()
        guard status.st_mode & S_IFMT == S_IFREG else { throw SystemError("open", path, code: EINVAL) }
        let size = Int(max(0, status.st_size))
        guard size > 0 else {
            (bytes, mapped) = (UnsafeRawBufferPointer(start: nil, count: 0), 0)
            return
        }
        guard let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            base != MAP_FAILED
        else { throw SystemError("mmap", path) }
        do throws(SystemError) {
            let count = try file.read(at: 0, into: UnsafeMutableRawBufferPointer(start: base, count: size))
            bytes = UnsafeRawBufferPointer(start: base, count: count)
            mapped = size
        } catch {
            munmap(base, size)
            throw error
        }
    }

    deinit {
        if mapped > 0, let base = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: base), mapped) }
    }
}
