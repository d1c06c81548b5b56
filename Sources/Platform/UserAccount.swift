import CLinux
package import Glibc

/// A user of the system, and becoming one for good.
package struct UserAccount: Sendable, Equatable {
    package let name: String
    package let uid: uid_t
    package let gid: gid_t

    package init(name: String, uid: uid_t, gid: gid_t) {
        self.name = name
        self.uid = uid
        self.gid = gid
    }

    /// Looks a user up; nil when there is none of that name.
    package init?(named name: String) {
        var uid: UInt32 = 0
        var gid: UInt32 = 0
        guard CLinux_find_user(name, &uid, &gid) == 0 else { return nil }
        self.init(name: name, uid: uid, gid: gid)
    }

    /// The unprivileged user to run as: the preferred one, or "nobody" when there is none of that name or it is root.
    package static func unprivileged(preferred: String = "esets") -> UserAccount? {
        if let user = UserAccount(named: preferred), user.uid != 0 { return user }
        return UserAccount(named: "nobody")
    }

    /// Becomes this user irrevocably, with its group and no others. For a process that has one thread still.
    package func become() throws(SystemError) {
        _ = try checked("setresuid", name) { CLinux_become_user(name, uid, gid) }
    }
}

/// Giving up powers of this process, for good.
package enum Privileges {
    /// Leaves every network; needs root. Sockets that are open stay.
    package static func leaveNetwork() throws(SystemError) {
        _ = try checked("unshare") { CLinux_leave_network() }
    }

    /// Bounds what this process may use from now on; exceeding the time ends it by a signal.
    ///
    /// - Parameters:
    ///   - processorSeconds: CPU time.
    ///   - seconds: time on the clock.
    ///   - memory: bytes of address space.
    ///   - fileSize: bytes of any file that it writes.
    package static func limit(
        processorSeconds: UInt64, seconds: UInt32, memory: UInt64, fileSize: UInt64
    ) throws(SystemError) {
        for (resource, value) in [
            (RLIMIT_CPU.rawValue, processorSeconds), (RLIMIT_AS.rawValue, memory), (RLIMIT_FSIZE.rawValue, fileSize),
            (RLIMIT_CORE.rawValue, 0),
        ] {
            _ = try checked("setrlimit") { CLinux_limit(Int32(resource), value) }
        }
        alarm(seconds)
    }

    /// No other process of the same user can look into this one.
    package static func hide() throws(SystemError) {
        _ = try checked("prctl") { CLinux_not_dumpable() }
    }

    /// Nothing of it outlives its parent.
    package static func endWithParent() throws(SystemError) {
        _ = try checked("prctl") { CLinux_signal_when_parent_ends(SIGKILL) }
    }

    /// No program that it runs can gain what it has not.
    package static func gainNoMore() throws(SystemError) {
        _ = try checked("prctl") { CLinux_no_new_privileges() }
    }
}
