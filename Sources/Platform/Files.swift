package import Glibc

/// Whole files and directories.
package enum Files {
    /// The content of a file, at most `limit` bytes.
    package static func read(_ path: String, limit: Int = .max) throws(SystemError) -> [UInt8] {
        let file = try Descriptor.open(path, O_RDONLY)
        do throws(SystemError) {
            return try file.readToEnd(limit: limit)
        } catch {
            throw SystemError(error.call, path, code: error.code)
        }
    }

    /// The content of a text file, as UTF-8 with repairs.
    package static func text(_ path: String, limit: Int = .max) throws(SystemError) -> String {
        String(decoding: try read(path, limit: limit), as: UTF8.self)
    }

    /// Replaces a file at once: readers see the old content or the new, also after a power failure.
    package static func replace(_ path: String, with bytes: [UInt8], mode: mode_t = 0o644) throws(SystemError) {
        let temporary = "\(path).new.\(getpid())"
        let file = try Descriptor.open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: mode)
        do throws(SystemError) {
            _ = try checked("fchmod", temporary) { fchmod(file.raw, mode) }
            try file.writeAll(bytes)
            try file.synchronize()
            _ = try checked("rename", path) { rename(temporary, path) }
        } catch {
            unlink(temporary)
            throw SystemError(error.call, error.subject.isEmpty ? path : error.subject, code: error.code)
        }
        try synchronizeDirectory(parent(of: path))
    }

    /// Flushes a directory's entries to the disk.
    package static func synchronizeDirectory(_ path: String) throws(SystemError) {
        try Descriptor.open(path, O_RDONLY | O_DIRECTORY).synchronize()
    }

    /// Makes a directory and those above it.
    package static func makeDirectory(_ path: String, mode: mode_t = 0o755) throws(SystemError) {
        if mkdir(path, mode) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, parent(of: path) != path else { throw SystemError("mkdir", path) }
        try makeDirectory(parent(of: path))
        guard mkdir(path, mode) == 0 || errno == EEXIST else { throw SystemError("mkdir", path) }
    }

    /// The names in a directory, sorted, without "." and "..".
    package static func names(in path: String) throws(SystemError) -> [String] {
        guard let directory = opendir(path) else { throw SystemError("opendir", path) }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Removes a file, or a directory with everything in it; symbolic links are removed, not followed.
    package static func remove(_ path: String) throws(SystemError) {
        var info = stat()
        guard lstat(path, &info) == 0 else {
            if errno == ENOENT { return }
            throw SystemError("lstat", path)
        }
        if info.st_mode & S_IFMT == S_IFDIR {
            for name in try names(in: path) { try remove("\(path)/\(name)") }
            _ = try checked("rmdir", path) { rmdir(path) }
        } else {
            _ = try checked("unlink", path) { unlink(path) }
        }
    }

    /// Whether something is there.
    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Where a symbolic link points, or nil.
    package static func linkTarget(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink(path, &buffer, buffer.count - 1)
        guard count >= 0 else { return nil }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The directory that holds a path: "/a" for "/a/b", "." for "b".
    package static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// What comes after the last slash.
    package static func name(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return path }
        return String(path[path.index(after: slash)...])
    }
}
