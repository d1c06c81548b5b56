import CLinux
import Glibc
import Platform
import Synchronization

/// The directory that is served. Files are opened below it by the kernel's own rules (openat2, RESOLVE_BENEATH): no
/// link and no ".." leads out, whatever is renamed meanwhile.
package final class DocumentRoot: Sendable {
    package let path: String
    private let directory = Mutex<(descriptor: Descriptor?, lookedAt: UInt64)>((nil, 0))
    /// How long another directory under the same name goes unnoticed, in nanoseconds.
    private static let patience: UInt64 = 1_000_000_000

    /// - Parameter path: may be missing still, and may be replaced by another directory at any time.
    package init(path: String) {
        self.path = path
    }

    /// Opens a regular file for reading; nil when there is none.
    ///
    /// - Parameter name: a path as `RequestTarget.path` gives it.
    func open(_ name: [UInt8]) -> (file: Descriptor, status: stat)? {
        guard let directory = current else { return nil }
        let raw = (name + [0]).withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { name in
                // O_NONBLOCK: a pipe or device must not hold a thread.
                CLinux_open_beneath(directory.raw, name.baseAddress, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0)
            }
        }
        guard raw >= 0 else { return nil }
        let file = Descriptor(owning: raw)
        guard let status = try? file.status(), status.st_mode & S_IFMT == S_IFREG else { return nil }
        return (file, status)
    }

    /// The directory that has the name now.
    private var current: Descriptor? {
        directory.withLock { known in
            let now = Clock.now
            if let descriptor = known.descriptor, now &- known.lookedAt < DocumentRoot.patience { return descriptor }
            known.lookedAt = now
            var named = stat()
            guard stat(path, &named) == 0 else {
                known.descriptor = nil
                return nil
            }
            if let descriptor = known.descriptor, let status = try? descriptor.status(),
                status.st_ino == named.st_ino, status.st_dev == named.st_dev
            {
                return descriptor
            }
            known.descriptor = try? Descriptor.open(path, O_RDONLY | O_DIRECTORY)
            return known.descriptor
        }
    }
}
