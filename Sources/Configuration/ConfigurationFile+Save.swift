import Glibc
import Platform

extension ConfigurationFile {
    /// Replaces a file at once with this text. Mode and owner stay those of the old file; a symbolic link stays
    /// and what it points to is replaced. Readers see the old text or the new one, also after a power failure.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - newMode: access mode if there was no file.
    /// - Throws: when the new text cannot be written or put in place; the old file is then untouched.
    package func save(to path: String, newMode: UInt32 = 0o640) throws(ConfigurationFileProblem) {
        do throws(SystemError) {
            try write(to: ConfigurationFile.target(of: path), newMode)
        } catch {
            throw ConfigurationFileProblem(error.description)
        }
    }

    /// Keeps other writers of the same directory out while the result lives: for a change that reads, edits and
    /// saves. Waits for them.
    package static func lock(for path: String) throws(ConfigurationFileProblem) -> ConfigurationLock {
        do throws(SystemError) {
            let directory = try Descriptor.open(Files.parent(of: target(of: path)), O_RDONLY | O_DIRECTORY)
            _ = try checked("flock", path) { flock(directory.raw, LOCK_EX) }
            return ConfigurationLock(directory: directory)
        } catch {
            throw ConfigurationFileProblem(error.description)
        }
    }

    /// What a path means when links are followed; the path itself if nothing is there yet.
    private static func target(of path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private func write(to path: String, _ newMode: UInt32) throws(SystemError) {
        var old = stat()
        let exists = stat(path, &old) == 0
        let temporary = "\(path).new.\(getpid())"
        unlink(temporary)
        let file = try Descriptor.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        do throws(SystemError) {
            try file.writeAll(bytes)
            if exists, old.st_uid != geteuid() || old.st_gid != getegid() {
                _ = try checked("fchown", path) { fchown(file.raw, old.st_uid, old.st_gid) }
            }
            _ = try checked("fchmod", path) { fchmod(file.raw, exists ? old.st_mode & 0o7777 : mode_t(newMode)) }
            try file.synchronize()
            _ = try checked("rename", path) { rename(temporary, path) }
        } catch {
            unlink(temporary)
            throw error
        }
        try Files.synchronizeDirectory(Files.parent(of: path))
    }
}

/// Holds the right to change the files of one directory; gives it back when it goes.
package struct ConfigurationLock: ~Copyable, Sendable {
    let directory: Descriptor
}
