package import JSON

/// A role with targets: the top-level one, or a delegated one (specification section 4.5).
package struct Targets: Sendable, Equatable {
    /// What a role says about a target.
    package struct File: Sendable, Equatable {
        package var length: Int
        package var hashes: Hashes
        /// An object, or null.
        package var custom: JSONValue

        package init(length: Int, hashes: Hashes, custom: JSONValue = .null) {
            self.length = length
            self.hashes = hashes
            self.custom = custom
        }

        init?(_ json: JSONValue) {
            guard let length = json["length"]?.integer, length >= 0, let value = json["hashes"],
                let hashes = Hashes(value)
            else { return nil }
            self.length = Int(length)
            self.hashes = hashes
            switch json["custom"] {
            case nil: custom = .null
            case .object(let members)?: custom = .object(members)
            default: return nil
            }
        }

        var json: JSONValue {
            var members: [String: JSONValue] = ["length": .integer(Int64(length)), "hashes": hashes.json]
            if !custom.isNull { members["custom"] = custom }
            return .object(members)
        }
    }

    package var common: Common
    /// By path.
    package var files: [String: File]
    package var delegations: Delegations?

    package init(common: Common, files: [String: File] = [:], delegations: Delegations? = nil) {
        self.common = common
        self.files = files
        self.delegations = delegations
    }

    package init(_ envelope: Envelope) throws(TUFError) {
        common = try Common(envelope, type: "targets")
        guard let members = envelope.signed["targets"]?.object else {
            throw envelope.malformed("no object \"targets\"")
        }
        var files: [String: File] = [:]
        for (path, value) in members {
            guard FileNames.isSafe(path: path) else {
                throw envelope.malformed("the target path \"\(printable(path))\" leads out of its folder, or is none")
            }
            guard let file = File(value) else {
                throw envelope.malformed("what it says about the target \(printable(path)) is malformed")
            }
            files[path] = file
        }
        self.files = files
        if let value = envelope.signed["delegations"] { delegations = try Delegations(value, envelope) }
    }

    package var json: JSONValue {
        var members = common.members(type: "targets")
        members["targets"] = .object(files.mapValues(\.json))
        if let delegations { members["delegations"] = delegations.json }
        return .object(members)
    }

    /// What it says about exactly this path: equal strings of Unicode may differ in their bytes.
    func file(_ path: String) -> File? {
        guard let index = files.index(forKey: path), files[index].key.utf8.elementsEqual(path.utf8) else { return nil }
        return files[index].value
    }
}
