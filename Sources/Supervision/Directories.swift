import Configuration
import Glibc
import Logging
import Platform

/// The directories that the unprivileged processes write to: made by the manager, because they may not.
enum Directories {
    /// Makes what is missing; what is there keeps its owner and mode.
    static func prepare(_ configuration: Configuration) throws(SystemError) {
        let paths = configuration.paths
        let user = configuration.global.text("run_as_user")
        let account = UserAccount.unprivileged(preferred: user)
        let owner = getuid() == 0 ? account.map { ($0.uid, $0.gid) } : nil
        try Files.makeDirectory(paths.cacheDirectory)
        for path in [
            paths.spoolDirectory, paths.quarantineDirectory, paths.samplesDirectory, paths.reportsDirectory,
            paths.logsDirectory,
        ] where !Files.exists(path) {
            try Files.makeDirectory(path, mode: 0o750)
            if let owner { _ = try checked("chown", path) { chown(path, owner.0, owner.1) } }
        }
        try prepareLog(configuration, owner)
    }

    /// A log file is written by agents too, under their own user.
    private static func prepareLog(_ configuration: Configuration, _ owner: (UInt32, UInt32)?) throws(SystemError) {
        let target = configuration.global.text("log_target")
        guard target.hasPrefix("file:") else { return }
        let path = configuration.paths.resolve(String(target.dropFirst("file:".count)))
        guard !Files.exists(path) else { return }
        try Files.makeDirectory(Files.parent(of: path))
        let file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, mode: 0o640)
        if let owner { _ = try checked("fchown", path) { fchown(file.raw, owner.0, owner.1) } }
    }
}
