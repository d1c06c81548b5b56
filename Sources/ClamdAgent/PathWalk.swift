import CLinux
import ClamdProtocol
import Glibc
import Platform

/// Finds and opens the files below a path that a client gave. Directories are gone through by their descriptors, so
/// that nothing that is renamed meanwhile leads elsewhere; only regular files are opened.
///
/// It blocks on the disk: for helper threads, one call at a time.
/// `@unchecked Sendable`: its calls follow one another.
final class PathWalk: @unchecked Sendable {
    enum Item: Sendable {
        case file(name: [UInt8], Descriptor, size: UInt64)
        /// Something that should have been scanned and cannot be; the whole line of the reply.
        case problem([UInt8])
    }

    struct Rules: Sendable {
        /// Directories below which one may look, longest first.
        var roots: [String]
        var followsLinks: Bool
        /// Levels of directories below the given one.
        var deepest: Int
    }

    private struct Identity: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    private final class Level {
        let directory: OpaquePointer
        /// For people.
        let name: [UInt8]
        /// From the root.
        let path: [UInt8]

        init?(_ descriptor: Descriptor, name: [UInt8], path: [UInt8]) {
            // fdopendir keeps a descriptor of its own.
            let own = fcntl(descriptor.raw, F_DUPFD_CLOEXEC, 0)
            guard own >= 0 else { return nil }
            guard let directory = fdopendir(own) else {
                close(own)
                return nil
            }
            self.directory = directory
            self.name = name
            self.path = path
        }

        deinit {
            closedir(directory)
        }
    }

    private let given: [UInt8]
    private let rules: Rules
    private var root: ScanRoot?
    private var levels: [Level] = []
    private var entered: Set<Identity> = []
    private var hasBegun = false
    /// Whether the given path is a directory; known after the first call.
    private(set) var isDirectory = false

    /// - Parameters:
    ///   - path: as the client gave it.
    ///   - rules: what may be looked at.
    init(_ path: [UInt8], _ rules: Rules) {
        given = path
        self.rules = rules
    }

    /// The next file or problem; nil at the end.
    func next() -> Item? {
        if !hasBegun {
            hasBegun = true
            if let item = begin() { return item }
        }
        while let level = levels.last {
            errno = 0
            guard let entry = readdir(level.directory) else {
                let code = errno
                levels.removeLast()
                if code != 0 { return failed(level.name, code) }
                continue
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: UInt8.self, capacity: 256) {
                    Array(UnsafeBufferPointer(start: $0, count: strlen($0)))
                }
            }
            if name == [UInt8(ascii: ".")] || name == [UInt8(ascii: "."), UInt8(ascii: ".")] { continue }
            if let item = visit(name, in: level) { return item }
        }
        return nil
    }

    private func begin() -> Item? {
        var isFile = false
        do throws(SystemError) {
            guard given.first == UInt8(ascii: "/") else { return failed(given, ENOENT) }
            guard let (root, path) = try ScanRoot.find(given, rules.roots) else { return denied(given) }
            self.root = root
            // Nothing is opened in earnest before it is known to be harmless.
            let mode = try root.open(path, CLinux_O_PATH | last).status().st_mode & S_IFMT
            isDirectory = mode == S_IFDIR
            isFile = mode == S_IFREG
            guard isDirectory || isFile else {
                return .problem(ReplyText.plainError(given, "Not supported file type"))
            }
            if isFile { return file(try root.open(path, Self.careful | last), given) }
            var name = given
            while name.count > 1, name.last == UInt8(ascii: "/") { name.removeLast() }
            return enter(try root.open(path, O_RDONLY | O_DIRECTORY | last), name, path)
        } catch {
            return isFile && error.code == EACCES ? denied(given) : failed(given, error.code)
        }
    }

    private func visit(_ entry: [UInt8], in level: Level) -> Item? {
        let name = level.name == [UInt8(ascii: "/")] ? level.name + entry : level.name + [UInt8(ascii: "/")] + entry
        let path = level.path.isEmpty ? entry : level.path + [UInt8(ascii: "/")] + entry
        var info = stat()
        let text = (entry + [0]).map { CChar(bitPattern: $0) }
        guard fstatat(dirfd(level.directory), text, &info, AT_SYMLINK_NOFOLLOW) == 0 else {
            // Gone meanwhile.
            return errno == ENOENT ? nil : failed(name, errno)
        }
        let isLink = info.st_mode & S_IFMT == S_IFLNK
        do throws(SystemError) {
            if isLink {
                guard rules.followsLinks, let root else { return nil }
                info = try root.open(path, CLinux_O_PATH).status()
            }
            /// What is no link is opened from its directory, wherever that is by now.
            func open(_ flags: Int32) throws(SystemError) -> Descriptor {
                if isLink, let root { return try root.open(path, flags) }
                return Descriptor(
                    owning: try checked("openat") {
                        openat(dirfd(level.directory), text, flags | O_NOFOLLOW | O_CLOEXEC)
                    })
            }
            switch info.st_mode & S_IFMT {
            case S_IFREG: return file(try open(Self.careful), name)
            case S_IFDIR:
                guard levels.count <= rules.deepest else {
                    return .problem(ReplyText.error(name, "Directory recursion limit exceeded"))
                }
                return enter(try open(O_RDONLY | O_DIRECTORY), name, path)
            default: return nil
            }
        } catch {
            if isGone(error.code) { return nil }
            let isFile = info.st_mode & S_IFMT == S_IFREG
            return isFile && error.code == EACCES ? denied(name) : failed(name, error.code)
        }
    }

    /// Not to wait for the writer of a pipe that took a file's place.
    private static let careful = O_RDONLY | O_NONBLOCK | O_NOCTTY

    /// The flag that keeps a link at the end of a path from being followed.
    private var last: Int32 { rules.followsLinks ? 0 : O_NOFOLLOW }

    private func enter(_ directory: Descriptor, _ name: [UInt8], _ path: [UInt8]) -> Item? {
        guard let info = try? directory.status() else { return failed(name, EIO) }
        let identity = Identity(device: UInt64(info.st_dev), inode: UInt64(info.st_ino))
        guard entered.insert(identity).inserted else { return nil }
        guard !Self.isMadeByKernel(directory) else {
            return levels.isEmpty ? .problem(ReplyText.plainError(name, "Not supported file type")) : nil
        }
        guard let level = Level(directory, name: name, path: path) else { return failed(name, errno) }
        levels.append(level)
        return nil
    }

    private func file(_ file: Descriptor, _ name: [UInt8]) -> Item {
        do throws(SystemError) {
            let info = try file.status()
            guard info.st_mode & S_IFMT == S_IFREG, !Self.isMadeByKernel(file) else {
                return .problem(ReplyText.plainError(name, "Not supported file type"))
            }
            return .file(name: name, file, size: UInt64(max(0, info.st_size)))
        } catch {
            return failed(name, error.code)
        }
    }

    private func denied(_ name: [UInt8]) -> Item { .problem(ReplyText.error(name, "Access denied")) }

    /// Something in a directory that was removed or replaced since it was read.
    private func isGone(_ code: Int32) -> Bool { code == ENOENT || code == ELOOP || code == EXDEV }

    private func failed(_ name: [UInt8], _ code: Int32) -> Item {
        .problem(
            ReplyText.error(name, "File path check failure: \(SystemError.text(of: code == EXDEV ? EACCES : code))"))
    }

    /// Whether it lies in a file system whose content the kernel makes up when it is read.
    private static func isMadeByKernel(_ descriptor: Descriptor) -> Bool {
        switch CLinux_descriptor_file_system_type(descriptor.raw) {
        // proc, sysfs, debugfs, tracefs, cgroup, cgroup2
        case 0x9FA0, 0x6265_6572, 0x6462_6720, 0x7472_6163, 0x27_E0EB, 0x6367_7270: true
        default: false
        }
    }
}
