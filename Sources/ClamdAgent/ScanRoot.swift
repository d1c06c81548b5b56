import CLinux
import Glibc
import Platform

/// A directory below which clients may have files scanned: paths are looked up by the kernel so that nothing leads out
/// of it, however names change meanwhile.
struct ScanRoot: Sendable {
    private let directory: Descriptor
    /// Without a slash at the end; "" is the root of the file system.
    private let path: String

    /// The root among some that a path lies below, and the path from there.
    ///
    /// - Parameters:
    ///   - path: as the client gave it.
    ///   - roots: longest first, as in `ClamdSettings.scanPaths`.
    /// - Returns: nil when the path is below none of them.
    static func find(_ path: [UInt8], _ roots: [String]) throws(SystemError) -> (root: ScanRoot, rest: [UInt8])? {
        for root in roots {
            let prefix = Array(root.utf8)
            guard path.starts(with: prefix), path.count > prefix.count, path[prefix.count] == UInt8(ascii: "/")
            else {
                if path == prefix { return (try ScanRoot(root), []) }
                continue
            }
            return (try ScanRoot(root), Array(path[(prefix.count + 1)...].drop { $0 == UInt8(ascii: "/") }))
        }
        return nil
    }

    private init(_ path: String) throws(SystemError) {
        directory = try Descriptor.open(path.isEmpty ? "/" : path, CLinux_O_PATH | O_DIRECTORY)
        self.path = path
    }

    /// Opens something below it.
    ///
    /// - Parameter path: from this directory; empty is the directory itself.
    /// - Throws: `SystemError` with EXDEV when the path leads out.
    func open(_ path: [UInt8], _ flags: Int32) throws(SystemError) -> Descriptor {
        var name = (path.isEmpty ? [UInt8(ascii: ".")] : path).map { CChar(bitPattern: $0) }
        name.append(0)
        let result = CLinux_open_beneath(directory.raw, name, flags, self.path.isEmpty ? 1 : 0)
        guard result >= 0 else {
            throw SystemError("openat2", String(decoding: path, as: UTF8.self), code: -result)
        }
        return Descriptor(owning: result)
    }
}
