import Platform

/// Names of users as numbers.
enum Users {
    /// The user id of a name, or nil when there is no such user.
    static func id(of name: String) -> UInt32? { UserAccount(named: name)?.uid }

    /// The user that an agent of this name really runs as: "nobody" when there is none of that name.
    static func serviceID(of name: String) -> UInt32? { UserAccount.unprivileged(preferred: name)?.uid }
}
