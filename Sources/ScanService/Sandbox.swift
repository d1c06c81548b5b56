import CLinux
import Glibc
package import Platform

/// What a scanning process gives up before it looks at the first object: root, other files, the network, new
/// processes. What is scanned may take over a module; it shall find nothing here.
package enum Sandbox {
    /// Open descriptors that a scanning process may have.
    private static let descriptors: UInt64 = 65_536
    /// The largest file that it may write: only unnamed files in memory are possible anyway.
    private static let fileSize: UInt64 = 8 << 30

    /// Enters the sandbox, before any other thread is started.
    ///
    /// - Parameters:
    ///   - user: whose rights it takes when it is root; "nobody" when there is no such user.
    ///   - readable: directories and files that stay readable: generations, keys, libraries.
    ///   - warn: gets a sentence for each protection that the system does not offer.
    package static func enter(
        user: String, readable: [String], warn: (String) -> Void
    ) throws(SystemError) {
        if getuid() == 0 { try becomeUnprivileged(user) }
        _ = CLinux_limit(Int32(CLinux_RLIMIT_CORE), 0)
        _ = CLinux_limit(Int32(CLinux_RLIMIT_NOFILE), descriptors)
        _ = CLinux_limit(Int32(CLinux_RLIMIT_FSIZE), fileSize)
        try Privileges.hide()
        try Privileges.gainNoMore()
        var confinement = Confinement()
        confinement.readable = readable
        for missing in confinement.enter() { warn(missing) }
    }

    private static func becomeUnprivileged(_ user: String) throws(SystemError) {
        if let account = UserAccount.unprivileged(preferred: user) { return try account.become() }
        throw SystemError("find an unprivileged user", user, code: ENOENT)
    }
}
