import Glibc
package import Platform

/// The pid file: its lock says that a manager runs, its content which process it is.
package final class PidFile {
    private let path: String
    private let file: Descriptor

    package enum Failure: Error, Sendable, CustomStringConvertible {
        case alreadyRunning(pid: String)
        case system(SystemError)

        package var description: String {
            switch self {
            case .alreadyRunning(let pid): "esets_daemon is already running (process \(pid))"
            case .system(let error): error.description
            }
        }
    }

    /// Between two attempts, in microseconds.
    private static let pause: UInt32 = 20_000

    /// Takes the lock and writes the number of this process.
    ///
    /// - Parameter attempts: how often the lock is tried: whoever asks whether it is held holds it for a moment, too.
    package init(_ path: String, attempts: Int = 10) throws(Failure) {
        self.path = path
        do throws(SystemError) { try Files.makeDirectory(Files.parent(of: path)) } catch { throw .system(error) }
        file = try PidFile.locked(path, attempts)
        do throws(SystemError) {
            _ = try checked("ftruncate", path) { ftruncate(file.raw, 0) }
            try file.writeAll(Array("\(getpid())\n".utf8))
        } catch {
            throw .system(error)
        }
    }

    /// The locked file. One that its owner removed between our open and our lock protects nothing: then the next one.
    private static func locked(_ path: String, _ attempts: Int) throws(Failure) -> Descriptor {
        for attempt in 1...attempts {
            do throws(SystemError) {
                let file = try Descriptor.open(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o644)
                if flock(file.raw, LOCK_EX | LOCK_NB) == 0 {
                    let ours = try file.status()
                    var present = stat()
                    if lstat(path, &present) == 0, present.st_ino == ours.st_ino, present.st_dev == ours.st_dev {
                        return file
                    }
                }
            } catch {
                throw .system(error)
            }
            if attempt < attempts { usleep(pause) }
        }
        throw .alreadyRunning(pid: content(path))
    }

    /// Removes the file; the lock goes with the process.
    package func remove() { unlink(path) }

    /// The number in a pid file, for messages.
    package static func content(_ path: String) -> String {
        let text = (try? Files.text(path, limit: 32)) ?? ""
        return String(text.prefix { $0.isNumber })
    }

    /// Whether a manager holds the lock.
    package static func isHeld(_ path: String) -> Bool {
        guard let file = try? Descriptor.open(path, O_RDWR) else { return false }
        return flock(file.raw, LOCK_SH | LOCK_NB) != 0
    }
}
