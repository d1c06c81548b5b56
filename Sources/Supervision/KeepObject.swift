import Glibc
import Platform

/// The role that copies an object which crashed the scanner: standard input to a new file.
package enum KeepObject {
    /// What is kept of an object at most, in bytes.
    private static let limit = 256 << 20

    /// Copies from the beginning of standard input, which must be a regular file.
    /// - Returns: the exit status.
    package static func run(path: String) -> Int32 {
        let input = Descriptor(owning: STDIN_FILENO)
        do throws(SystemError) {
            guard try input.status().st_mode & S_IFMT == S_IFREG else { return 1 }
            let output = try Descriptor.open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
            defer { buffer.deallocate() }
            var offset = 0
            while offset < limit {
                let count = try input.read(at: UInt64(offset), into: buffer)
                if count == 0 { break }
                try output.writeAll(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                offset += count
            }
            return 0
        } catch {
            unlink(path)
            return 1
        }
    }
}
