import Glibc
import Platform
import ScanProtocol

extension ObjectSource {
    /// The largest object that is copied into memory because it cannot be mapped: every user of the machine may send
    /// one to each scanning thread, and mail needs memory too.
    private static let copyLimit: UInt64 = 1 << 30

    /// Looks at what a client sent. The descriptor may be of any kind and the announced size a lie.
    ///
    /// - Parameters:
    ///   - announced: the size that the client gave.
    ///   - isTrusted: the client is one of our own agents, which does not truncate its unnamed files.
    init(_ descriptor: Descriptor, announced: UInt64, isTrusted: Bool) throws(EngineError) {
        let status: stat
        do throws(SystemError) { status = try descriptor.status() } catch {
            throw EngineError(.unreadable, error.description)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw EngineError(.unreadable, "only regular files can be scanned")
        }
        let present = UInt64(max(0, status.st_size))
        guard announced <= present else {
            throw EngineError(.unreadable, "the object has \(present) bytes, \(announced) were announced")
        }
        let isMappable = descriptor.isSealed || isTrusted && status.st_nlink == 0
        guard isMappable || announced <= ObjectSource.copyLimit, let size = Int(exactly: announced) else {
            throw EngineError(
                .unreadable,
                "the file has \(announced) bytes; at most \(ObjectSource.copyLimit) can be copied to be scanned")
        }
        self.init(place: isMappable ? .mappable(descriptor) : .file(descriptor), size: size)
    }
}
