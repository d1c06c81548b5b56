import CLinux
package import Glibc

/// An open file descriptor, closed when the last reference goes.
package final class Descriptor: Sendable {
    /// The number. Valid as long as this object lives.
    package let raw: Int32

    /// Takes ownership of an open descriptor.
    package init(owning raw: Int32) {
        self.raw = raw
    }

    deinit {
        _ = Glibc.close(raw)
    }

    /// Opens a file; O_CLOEXEC is added.
    package static func open(_ path: String, _ flags: Int32, mode: mode_t = 0o600) throws(SystemError) -> Descriptor {
        Descriptor(owning: try checked("open", path) { Glibc.open(path, flags | O_CLOEXEC, mode) })
    }

    /// A new anonymous file in memory.
    package static func memory(name: String) throws(SystemError) -> Descriptor {
        Descriptor(owning: try checked("memfd_create") { CLinux_memfd(name) })
    }

    /// A sealed memfd that holds these bytes: nobody can change or truncate it any more.
    package static func sealed(name: String, _ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Descriptor {
        let file = try memory(name: name)
        try file.writeAll(bytes)
        try file.seal()
        return file
    }

    /// A new unnamed file in a directory.
    package static func temporary(in directory: String) throws(SystemError) -> Descriptor {
        Descriptor(owning: try checked("open", directory) { CLinux_tmpfile(directory) })
    }

    /// Another descriptor for the same open file.
    package func duplicate() throws(SystemError) -> Descriptor {
        Descriptor(owning: try checked("dup") { fcntl(raw, F_DUPFD_CLOEXEC, 0) })
    }

    /// Seals a memfd against every change.
    package func seal() throws(SystemError) {
        _ = try checked("fcntl") { CLinux_memfd_seal(raw) }
    }

    /// Whether it is a memfd that can neither shrink nor be written to.
    package var isSealed: Bool { CLinux_seals_are_fixed(CLinux_memfd_seals(raw)) == 1 }

    /// What fstat says.
    package func status() throws(SystemError) -> stat {
        var info = stat()
        _ = try checked("fstat") { fstat(raw, &info) }
        return info
    }

    /// Size in bytes of a regular file.
    package func size() throws(SystemError) -> UInt64 {
        UInt64(max(0, try status().st_size))
    }

    /// Writes everything at the current position.
    package func writeAll(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            done += try checkedCount("write") { Glibc.write(raw, rest.baseAddress, rest.count) }
        }
    }

    /// Writes everything at the current position.
    package func writeAll(_ bytes: [UInt8]) throws(SystemError) {
        var failure: SystemError?
        bytes.withUnsafeBytes { buffer in
            do throws(SystemError) { try writeAll(buffer) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Reads at an offset until the buffer is full or the file ends; returns the number of bytes.
    package func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = try checkedCount("pread") {
                pread(raw, rest.baseAddress, rest.count, off_t(offset) + off_t(done))
            }
            if count == 0 { break }
            done += count
        }
        return done
    }

    /// Everything from the current position to the end, at most `limit` bytes.
    package func readToEnd(limit: Int = .max) throws(SystemError) -> [UInt8] {
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while result.count < limit {
            let want = min(chunk.count, limit - result.count)
            let count = try checkedCount("read") { Glibc.read(raw, &chunk, want) }
            if count == 0 { break }
            result.append(contentsOf: chunk[..<count])
        }
        return result
    }

    /// Flushes to the disk.
    package func synchronize() throws(SystemError) {
        _ = try checked("fsync") { fsync(raw) }
    }
}
