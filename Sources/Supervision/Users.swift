import CLinux

/// Names of users as numbers.
enum Users {
    /// The user id of a name, or nil when there is no such user.
    static func id(of name: String) -> UInt32? {
        var uid: UInt32 = 0
        var gid: UInt32 = 0
        return CLinux_find_user(name, &uid, &gid) == 0 ? uid : nil
    }
}
