package import Generations
import Glibc
import Platform

/// What updates left that were killed. Whoever holds the lock of updates may remove it.
package enum Remains {
    /// How the working directories of compilers begin, in the directory for work files.
    static let compiling = "esets-compile-"

    /// Removes generations that were being put together, and working directories of compilers.
    ///
    /// - Parameter temporary: `tmp_dir`. Others may write there: only what belongs to the user who compiles or to this
    ///   one is removed, and links are not followed.
    package static func remove(_ store: GenerationStore, temporary: String) {
        for name in (try? Files.names(in: store.directory)) ?? [] where name.hasPrefix(".staged-") {
            try? Files.remove("\(store.directory)/\(name)")
        }
        for name in (try? Files.names(in: temporary)) ?? [] where name.hasPrefix(compiling) {
            let path = "\(temporary)/\(name)"
            var info = stat()
            guard lstat(path, &info) == 0, info.st_mode & S_IFMT == S_IFDIR,
                info.st_uid == geteuid() || info.st_uid == FetcherProcess.user?.uid
            else { continue }
            // Its name tells which process made it: one that still works is another system's.
            let process = name.dropFirst(compiling.count).prefix { $0.isNumber }
            guard !Files.exists("/proc/\(process)") else { continue }
            try? Files.remove(path)
        }
    }
}
