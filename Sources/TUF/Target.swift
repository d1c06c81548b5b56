package import JSON

/// A file that somebody trusted put into the repository.
package struct Target: Sendable, Equatable {
    /// Relative to the targets of the repository. Safe: no "..", no empty component, nothing that is not one file.
    package let path: String
    /// Bytes.
    package let length: Int
    package let hashes: Hashes
    /// An object of the publisher's own, or null.
    package let custom: JSONValue
    /// The role that says so, and how it is trusted: "targets" first, this role last.
    package let roles: [String]
    /// Where it is, relative to the targets of the repository: with its hash in front of its name where snapshots are consistent.
    package let location: String
    /// Kinds that the role may bring; nil for the top-level role.
    let allowed: Set<TargetKind>?

    init(
        path: String, file: Targets.File, roles: [String], allowed: Set<TargetKind>?, isConsistent: Bool
    ) {
        self.path = path
        length = file.length
        hashes = file.hashes
        custom = file.custom
        self.roles = roles
        self.allowed = allowed
        location = Self.location(path, isConsistent ? file.hashes.sha256 ?? file.hashes.sha512 : nil)
    }

    /// The role that says so.
    package var role: String { roles.last ?? "" }

    /// `location`, encoded for an address.
    package var address: String { FileNames.address(ofPath: location) }

    /// For people: of a delta the target that it makes, else this one's path.
    package var purpose: String {
        guard custom["kind"]?.string == TargetKind.delta.rawValue else { return path }
        return custom["path"]?.string ?? path
    }

    /// "a/b" → "a/HASH.b".
    package static func location(_ path: String, _ hash: [UInt8]?) -> String {
        guard let hash else { return path }
        let digits = Hexadecimal.text(hash)
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "\(digits).\(path)" }
        return "\(path[...slash])\(digits).\(path[path.utf8.index(after: slash)...])"
    }

    /// What it is for, if it has a kind, lies in its kind's folder, and comes from a role that may bring that kind.
    package func kind() throws(TUFError) -> TargetKind {
        guard let name = custom["kind"]?.string else { throw TUFError(.notAllowed, path, "it does not say its kind") }
        guard let kind = TargetKind(rawValue: name) else {
            throw TUFError(.notAllowed, path, "the kind \"\(printable(name))\" is not known here")
        }
        guard path.utf8.starts(with: kind.folder.utf8) else {
            throw TUFError(.notAllowed, path, "the kind \(name) belongs into \(kind.folder)")
        }
        if let allowed, !allowed.contains(kind) {
            throw TUFError(.notAllowed, path, "the role \"\(printable(role))\" may not bring the kind \(name)")
        }
        return kind
    }

    /// Checks a whole file.
    package func check(_ bytes: [UInt8]) throws(TUFError) {
        let checker = TargetChecker(self)
        try checker.update(bytes)
        try checker.finish()
    }
}
