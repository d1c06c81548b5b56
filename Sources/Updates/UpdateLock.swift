import Glibc
import Platform

/// One update at a time: held as long as this object lives, given up by the system when the process dies.
package final class UpdateLock: Sendable {
    private let file: Descriptor

    package init(path: String) throws(UpdateError) {
        do throws(SystemError) {
            try Files.makeDirectory(Files.parent(of: path))
            file = try Descriptor.open(path, O_RDWR | O_CREAT, mode: 0o600)
        } catch {
            throw UpdateError(error)
        }
        guard flock(file.raw, LOCK_EX | LOCK_NB) == 0 else {
            throw UpdateError(.busy, "another update is running (it holds \(path))")
        }
    }
}
