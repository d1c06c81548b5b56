// The top-level roles, in the order of the specification: root (5.3), timestamp (5.4), snapshot (5.5), targets (5.6).
extension TUFClient {
    mutating func receivedRoot(_ bytes: [UInt8]) throws(TUFError) {
        let file = FileNames.metadata("root", version: root.common.version + 1)
        try checkLength(bytes, limits.root, file)
        let envelope = try Envelope(bytes, file: file, limits: limits)
        let new = try Root(envelope)
        // By those who were trusted, and by those who shall be.
        try root.verify("root", envelope)
        try new.verify("root", envelope)
        guard new.common.version == root.common.version + 1 else {
            throw TUFError(
                new.common.version <= root.common.version ? .rollback : .version, file,
                "it says that it is version \(new.common.version)")
        }
        // Whoever stole the old keys could have set versions so high that nothing newer would ever come. Forgotten
        // before the new root is kept: after a power failure nobody would know any more that keys changed.
        if root.isRotated("timestamp", in: new) || root.isRotated("snapshot", in: new) {
            forget("timestamp.json")
            forget("snapshot.json")
        }
        keep("root.json", bytes)
        root = new
        rotations += 1
    }

    mutating func finishRoot() throws(TUFError) {
        try checkExpiry(root.common, "root.json")
        if let bytes = local["timestamp.json"], bytes.count <= limits.timestamp {
            timestamp = try? load(bytes, "timestamp.json", by: "timestamp") { envelope throws(TUFError) in
                try Timestamp(envelope)
            }
        }
        phase = .timestamp
    }

    mutating func receivedTimestamp(_ bytes: [UInt8]) throws(TUFError) {
        let file = "timestamp.json"
        try checkLength(bytes, limits.timestamp, file)
        let new = try load(bytes, file, by: "timestamp") { envelope throws(TUFError) in try Timestamp(envelope) }
        if let old = timestamp {
            try checkRollback(new.common.version, old.common.version, file)
            if new.common.version == old.common.version {
                // Nothing new. What it says may still be other than what was seen first, which counts.
                try checkExpiry(old.common, file)
                return useLocalSnapshot()
            }
            guard new.snapshot.version >= old.snapshot.version else {
                throw TUFError(
                    .rollback, file,
                    "it names snapshot version \(new.snapshot.version), after version \(old.snapshot.version) was seen")
            }
        }
        try checkExpiry(new.common, file)
        timestamp = new
        keep(file, bytes)
        useLocalSnapshot()
    }

    /// Takes the snapshot of the disk: for the versions that it has seen, and as it is when nothing newer is there.
    private mutating func useLocalSnapshot() {
        phase = .snapshot
        guard let facts = timestamp?.snapshot, let bytes = local["snapshot.json"], bytes.count <= limits.snapshot,
            let old = try? load(
                bytes, "snapshot.json", by: "snapshot", { envelope throws(TUFError) in try Snapshot(envelope) })
        else { return }
        snapshot = old
        guard old.common.version == facts.version, old.common.expires > now,
            (try? facts.check(bytes, file: "snapshot.json", by: "timestamp.json")) != nil
        else { return }
        useLocalTargets()
    }

    mutating func receivedSnapshot(_ bytes: [UInt8]) throws(TUFError) {
        guard let facts = timestamp?.snapshot else { return }
        let file = FileNames.metadata("snapshot", version: isConsistent ? facts.version : nil)
        try checkLength(bytes, min(facts.length ?? limits.snapshot, limits.snapshot), file)
        try facts.check(bytes, file: file, by: "timestamp.json")
        let new = try load(bytes, file, by: "snapshot") { envelope throws(TUFError) in try Snapshot(envelope) }
        try checkVersion(new.common.version, facts.version, file, by: "timestamp.json")
        if let old = snapshot {
            for (name, known) in old.files {
                guard let now = new.files[name] else {
                    throw TUFError(.rollback, file, "it has no \(printable(name)) any more")
                }
                guard now.version >= known.version else {
                    throw TUFError(
                        .rollback, file,
                        "it names version \(now.version) of \(printable(name)), after version \(known.version) was seen"
                    )
                }
            }
        }
        try checkExpiry(new.common, file)
        snapshot = new
        keep("snapshot.json", bytes)
        useLocalTargets()
    }

    private mutating func useLocalTargets() {
        phase = .targets
        let link = Link(name: "targets", delegator: "root")
        if useLocal(link) { phase = .ready }
    }

    // MARK: - Checks

    func checkLength(_ bytes: [UInt8], _ limit: Int, _ file: String) throws(TUFError) {
        guard bytes.count <= limit else { throw TUFError(.tooLong, file, "more than \(limit) bytes") }
    }

    func checkExpiry(_ common: Common, _ file: String) throws(TUFError) {
        guard common.expires > now else {
            throw TUFError(
                .expired, file,
                "it expired at \(MetadataTime.text(common.expires)); here it is \(MetadataTime.text(now))")
        }
    }

    private func checkRollback(_ new: Int64, _ old: Int64, _ file: String) throws(TUFError) {
        guard new >= old else {
            throw TUFError(.rollback, file, "version \(new) is older than version \(old), which was seen before")
        }
    }

    func checkVersion(_ version: Int64, _ expected: Int64, _ file: String, by source: String) throws(TUFError) {
        guard version == expected else {
            throw TUFError(.version, file, "it is version \(version), where \(source) says \(expected)")
        }
    }

    /// Parses a file that is signed by a top-level role.
    private func load<Value>(
        _ bytes: [UInt8], _ file: String, by role: String, _ parse: (Envelope) throws(TUFError) -> Value
    ) throws(TUFError) -> Value {
        let envelope = try Envelope(bytes, file: file, limits: limits)
        // What is not signed is not looked into.
        try root.verify(role, envelope)
        return try parse(envelope)
    }
}
