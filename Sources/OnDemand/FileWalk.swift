import CLinux
import Glibc
import Platform

/// Which files of the given paths are looked at.
package struct FileSelection: Sendable {
    /// Whether directories are gone into.
    package var recursive = true
    /// Levels below a given directory; 0 = no limit.
    package var deepest = 0
    /// Whether symbolic links inside directories are followed. A given path that is a link always is.
    package var followsLinks = true
    package var excluded: [PathMask] = []
    /// Lower case, without dots; empty = all files.
    package var extensions: Set<String> = []
    package var excludedExtensions: Set<String> = []

    package init() {}

    /// Extensions from a list such as ".exe:.doc" or "exe:doc".
    package static func extensions(_ list: [String]) -> Set<String> {
        Set(list.map { String($0.drop { $0 == "." }).lowercased() }.filter { !$0.isEmpty })
    }
}

/// Finds the files below some paths, without recursion and without going anywhere twice. Nothing is left out
/// without a word: what cannot be read is reported, and so is what is no regular file.
package struct FileWalk {
    package enum Event: Sendable, Equatable {
        case file(String)
        /// It should have been scanned and cannot be.
        case unreadable(String, SystemProblem)
        /// It is nothing to scan: a device, a pipe, a socket, a file system of the kernel, a link that leads nowhere.
        case skipped(String, String)
    }

    /// Why something cannot be read.
    package struct SystemProblem: Sendable, Equatable {
        package let reason: String
    }

    private struct Identity: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    private struct Pending {
        let path: String
        let level: Int
        let isGiven: Bool
    }

    private let selection: FileSelection
    private var pending: [Pending]
    private var directories: Set<Identity> = []

    /// - Parameters:
    ///   - paths: files and directories.
    ///   - selection: what of them is wanted.
    package init(_ paths: [String], _ selection: FileSelection) {
        self.selection = selection
        pending = paths.reversed().map { Pending(path: $0, level: 0, isGiven: true) }
    }

    /// The next file or remark; nil at the end. Entries of a directory come in the order of their names.
    package mutating func next() -> Event? {
        while let item = pending.popLast() {
            if let event = visit(item) { return event }
        }
        return nil
    }

    private mutating func visit(_ item: Pending) -> Event? {
        guard !selection.excluded.contains(where: { $0.matches(item.path) }) else { return nil }
        var info = stat()
        guard lstat(item.path, &info) == 0 else { return .unreadable(item.path, .last) }
        if info.st_mode & S_IFMT == S_IFLNK {
            guard item.isGiven || selection.followsLinks else { return nil }
            guard stat(item.path, &info) == 0 else {
                let isDangling = errno == ENOENT || errno == ELOOP
                return isDangling && !item.isGiven
                    ? .skipped(item.path, "symbolic link that leads nowhere") : .unreadable(item.path, .last)
            }
        }
        switch info.st_mode & S_IFMT {
        case S_IFDIR: return enter(item, info)
        case S_IFREG: return isWanted(item) ? .file(item.path) : nil
        default:
            let kind = Self.kind(info.st_mode)
            return item.isGiven
                ? .unreadable(item.path, SystemProblem(reason: "it is a \(kind)")) : .skipped(item.path, kind)
        }
    }

    private mutating func enter(_ item: Pending, _ info: stat) -> Event? {
        if !item.isGiven && !selection.recursive { return nil }
        if selection.deepest > 0 && item.level > selection.deepest { return nil }
        guard directories.insert(Identity(device: UInt64(info.st_dev), inode: UInt64(info.st_ino))).inserted else {
            return nil
        }
        if !item.isGiven, let name = Self.kernelFileSystem(item.path) {
            return .skipped(item.path, "\(name) file system")
        }
        do throws(SystemError) {
            let separator = item.path.hasSuffix("/") ? "" : "/"
            for name in try Files.names(in: item.path).reversed() {
                pending.append(Pending(path: item.path + separator + name, level: item.level + 1, isGiven: false))
            }
            return nil
        } catch {
            return .unreadable(item.path, SystemProblem(reason: error.reason))
        }
    }

    private func isWanted(_ item: Pending) -> Bool {
        if selection.extensions.isEmpty && selection.excludedExtensions.isEmpty { return true }
        let name = Files.name(of: item.path)
        let suffix = name.lastIndex(of: ".").map { name[name.index(after: $0)...].lowercased() } ?? ""
        if selection.excludedExtensions.contains(suffix) { return false }
        return selection.extensions.isEmpty || selection.extensions.contains(suffix)
    }

    private static func kind(_ mode: mode_t) -> String {
        switch mode & S_IFMT {
        case S_IFIFO: "named pipe"
        case S_IFSOCK: "socket"
        case S_IFCHR, S_IFBLK: "device"
        default: "special file"
        }
    }

    /// The name of a file system whose files the kernel makes up; reading them can hang or have effects.
    private static func kernelFileSystem(_ path: String) -> String? {
        switch CLinux_file_system_type(path) {
        case 0x9FA0: return "proc"
        case 0x6265_6572: return "sysfs"
        case 0x6462_6720: return "debugfs"
        case 0x7472_6163: return "tracefs"
        case 0x27_E0EB, 0x6367_7270: return "cgroup"
        default: return nil
        }
    }
}

extension FileWalk.SystemProblem {
    fileprivate static var last: FileWalk.SystemProblem { .init(reason: SystemError.text(of: errno)) }
}
