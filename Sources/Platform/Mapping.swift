import Glibc

/// A read-only mapping of a file, unmapped when the last reference goes.
///
/// Only for files that nobody can truncate (sealed memfds, unnamed spool files, root-owned modules): a
/// truncated mapping kills the process with SIGBUS.
package final class Mapping: @unchecked Sendable {
    /// The bytes; valid as long as this object lives. Never written to.
    package let bytes: UnsafeRawBufferPointer

    /// Maps the first `size` bytes.
    package init(_ file: Descriptor, size: Int) throws(SystemError) {
        guard size > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let base = mmap(nil, size, PROT_READ, MAP_PRIVATE, file.raw, 0), base != MAP_FAILED else {
            throw SystemError("mmap")
        }
        bytes = UnsafeRawBufferPointer(start: base, count: size)
    }

    /// Maps a whole file.
    package convenience init(path: String) throws(SystemError) {
        let file = try Descriptor.open(path, O_RDONLY)
        try self.init(file, size: Int(try file.size()))
    }

    deinit {
        if let base = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: base), bytes.count) }
    }
}
