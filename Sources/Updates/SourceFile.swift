package import JSON

/// A file that an upstream brought, as it lies in the mirror.
package struct SourceFile: Sendable, Equatable {
    package enum Role: String, Sendable {
        /// em002 is compiled from it.
        case signatures
        /// em006 is compiled from it.
        case antispam
        /// A code module.
        case module
        /// Only kept, for the mirror's clients or for the next update.
        case served
    }

    /// How messages name it: "NAME/daily.cvd".
    package var name: String
    package var role: Role
    /// Relative to the mirror.
    package var path: String
    package var size: Int
    /// SHA-256 in lower-case hexadecimal.
    package var digest: String
    /// Of the content, e.g. that of a container; "" without one.
    package var version = ""
    /// The server's ETag and Last-Modified.
    package var tag: String?
    package var modified: String?
    /// For an archive: the endings that its members must have to be used.
    package var formats: [String] = []

    package init(name: String, role: Role, path: String, size: Int, digest: String) {
        self.name = name
        self.role = role
        self.path = path
        self.size = size
        self.digest = digest
    }

    /// nil when something is missing, or a name leads out of its folder.
    package init?(_ json: JSONValue) {
        guard let name = json["name"]?.string, let role = json["role"]?.string.flatMap(Role.init),
            let path = json["path"]?.string, let size = json["size"]?.integer, size >= 0,
            let digest = json["sha256"]?.string, SafePath.isDigest(digest), SafePath.isSafe(path), SafePath.isSafe(name)
        else { return nil }
        self.init(name: name, role: role, path: path, size: Int(size), digest: digest)
        version = json["version"]?.string ?? ""
        tag = json["etag"]?.string
        modified = json["modified"]?.string
        formats = json["formats"]?.array?.compactMap(\.string) ?? []
    }

    package var json: JSONValue {
        var members: [String: JSONValue] = [
            "name": .string(name), "role": .string(role.rawValue), "path": .string(path), "size": .integer(Int64(size)),
            "sha256": .string(digest),
        ]
        if !version.isEmpty { members["version"] = .string(version) }
        if let tag { members["etag"] = .string(tag) }
        if let modified { members["modified"] = .string(modified) }
        if !formats.isEmpty { members["formats"] = .array(formats.map { .string($0) }) }
        return .object(members)
    }
}

/// Names of files that come from outside.
package enum SafePath {
    /// A relative path whose components are letters, digits and "._-+~%=," and do not begin with a dot: the same to
    /// everybody who opens it.
    package static func isSafe(_ path: String) -> Bool {
        guard !path.isEmpty, path.utf8.count <= 512 else { return false }
        return path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { isName(String($0)) }
    }

    /// One component of such a path.
    package static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, first != UInt8(ascii: "."), name.utf8.count <= 200 else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"),
                UInt8(ascii: "+"), UInt8(ascii: "~"), UInt8(ascii: "%"), UInt8(ascii: "="), UInt8(ascii: ","):
                true
            default: false
            }
        }
    }

    /// 64 lower-case hexadecimal digits.
    package static func isDigest(_ text: String) -> Bool {
        text.utf8.count == 64
            && text.utf8.allSatisfy { $0 &- 0x30 < 10 || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0) }
    }
}
