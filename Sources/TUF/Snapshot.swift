package import JSON

/// The snapshot role: which versions of all files of targets belong together (specification section 4.4).
package struct Snapshot: Sendable, Equatable {
    package var common: Common
    /// By file name, e.g. "targets.json".
    package var files: [String: FileFacts]

    package init(common: Common, files: [String: FileFacts]) {
        self.common = common
        self.files = files
    }

    package init(_ envelope: Envelope) throws(TUFError) {
        common = try Common(envelope, type: "snapshot")
        guard let members = envelope.signed["meta"]?.object else { throw envelope.malformed("no object \"meta\"") }
        var files: [String: FileFacts] = [:]
        for (name, value) in members {
            guard let facts = FileFacts(value) else {
                throw envelope.malformed("what it says about \(printable(name)) is malformed")
            }
            files[name] = facts
        }
        self.files = files
    }

    package var json: JSONValue {
        var members = common.members(type: "snapshot")
        members["meta"] = .object(files.mapValues(\.json))
        return .object(members)
    }
}
