package import JSON

/// The timestamp role: which snapshot is the newest (specification section 4.6).
package struct Timestamp: Sendable, Equatable {
    package var common: Common
    package var snapshot: FileFacts

    package init(common: Common, snapshot: FileFacts) {
        self.common = common
        self.snapshot = snapshot
    }

    package init(_ envelope: Envelope) throws(TUFError) {
        common = try Common(envelope, type: "timestamp")
        guard let facts = envelope.signed["meta"]?["snapshot.json"].flatMap({ FileFacts($0) }) else {
            throw envelope.malformed("it does not say which snapshot.json")
        }
        snapshot = facts
    }

    package var json: JSONValue {
        var members = common.members(type: "timestamp")
        members["meta"] = ["snapshot.json": snapshot.json]
        return .object(members)
    }
}
