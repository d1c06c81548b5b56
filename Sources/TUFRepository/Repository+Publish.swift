import Glibc
import Platform
import TUF

/// What a change came to.
package struct PublishReport: Sendable {
    /// Roles that clients see in a new version: name and version.
    package var published: [(role: String, version: Int64)] = []
    /// Roles that wait for signatures: how many they have, and how many they need.
    package var waiting: [(role: String, signatures: Int, needed: Int)] = []
}

extension Repository {
    /// Signs what keys are at hand for, and shows clients all that is complete.
    ///
    /// - Parameters:
    ///   - signing: only these drafts; nil: all.
    ///   - forcing: new versions of "snapshot" and "timestamp" also when nothing changed.
    package func publish(
        signing: Set<String>? = nil, forcing: Set<String> = []
    ) throws(RepositoryError) -> PublishReport {
        try signDrafts(signing)
        var report = PublishReport()
        let newRoot = completeRoot(&report)
        // Until a new root is complete, everything must be good for the old one.
        guard let root = newRoot?.root ?? published["root"]?.root else { return report }

        var files = published["snapshot"]?.snapshot?.files ?? [:]
        let roles = completeRoles(root, &report)
        guard roles.isComplete else { return report }
        for draft in roles.ready {
            let bytes = draft.bytes
            files["\(draft.role).json"] = FileFacts(
                version: draft.common.version, length: bytes.count, hashes: Hashes(sha256: SHA2.sha256(bytes)))
        }

        var snapshot = published["snapshot"]
        if !roles.ready.isEmpty || snapshot?.isGood(root.roles["snapshot"], root.keys) != true
            || forcing.contains("snapshot")
        {
            snapshot = try make("snapshot", .snapshot(Snapshot(common: next("snapshot"), files: files)), root, &report)
        }
        guard let snapshot else { return report }
        let isNew = snapshot.common.version != published["snapshot"]?.common.version
        var timestamp = published["timestamp"]
        if isNew || forcing.contains("timestamp") || timestamp?.isGood(root.roles["timestamp"], root.keys) != true {
            let bytes = snapshot.bytes
            let facts = FileFacts(
                version: snapshot.common.version, length: bytes.count, hashes: Hashes(sha256: SHA2.sha256(bytes)))
            timestamp = try make(
                "timestamp", .timestamp(Timestamp(common: next("timestamp"), snapshot: facts)), root, &report)
        }
        guard let timestamp else { return report }

        try show(roles.ready + (isNew ? [snapshot] : []), root: newRoot, timestamp: timestamp, &report)
        return report
    }

    /// A new root that both its own and the old keys signed.
    private func completeRoot(_ report: inout PublishReport) -> Draft? {
        guard let draft = drafts["root"], let root = draft.root, let own = root.roles["root"] else { return nil }
        var lacking = (count: draft.count(own, root.keys), needed: own.threshold)
        if let old = published["root"]?.root, let role = old.roles["root"], lacking.count >= lacking.needed {
            lacking = (draft.count(role, old.keys), role.threshold)
        }
        guard lacking.count >= lacking.needed else {
            report.waiting.append(("root", lacking.count, lacking.needed))
            return nil
        }
        return draft
    }

    /// The roles with targets that are complete. What a role delegates counts as it is shown to clients, so nobody who
    /// waits holds up what is above.
    private func completeRoles(_ root: Root, _ report: inout PublishReport) -> (ready: [Draft], isComplete: Bool) {
        guard let top = root.roles["targets"] else { return ([], false) }
        var ready: [Draft] = []
        var queue = [Place(name: "targets", role: top, keys: root.keys)]
        var seen: Set<String> = ["targets"]
        var index = 0
        while index < queue.count {
            let place = queue[index]
            index += 1
            var shown = published[place.name]
            if let draft = drafts[place.name] {
                let count = draft.count(place.role, place.keys)
                if count >= place.role.threshold {
                    ready.append(draft)
                    shown = draft
                } else {
                    report.waiting.append((place.name, count, place.role.threshold))
                }
            }
            guard let targets = shown?.targets else {
                // Clients would look for it in vain.
                if drafts[place.name] == nil { report.waiting.append((place.name, 0, place.role.threshold)) }
                if place.name == "targets" { return ([], false) }
                continue
            }
            for delegation in targets.delegations?.roles ?? [] where seen.insert(delegation.name).inserted {
                queue.append(
                    Place(name: delegation.name, role: delegation.role, keys: targets.delegations?.keys ?? [:]))
            }
        }
        return (ready, true)
    }

    /// Makes and signs a snapshot or timestamp; nil without enough keys.
    private func make(
        _ name: String, _ content: Draft.Content, _ root: Root, _ report: inout PublishReport
    ) throws(RepositoryError) -> Draft? {
        guard let role = root.roles[name] else { return nil }
        var draft = Draft(role: name, content)
        try draft.sign(role.keyIDs, with: keys)
        let count = draft.count(role, root.keys)
        guard count >= role.threshold else {
            report.waiting.append((name, count, role.threshold))
            return nil
        }
        return draft
    }

    /// Writes what clients get: nothing that is there changes until the timestamp names the new state.
    private func show(
        _ ready: [Draft], root: Draft?, timestamp: Draft, _ report: inout PublishReport
    ) throws(RepositoryError) {
        var writes: [(path: String, draft: Draft)] = []
        for draft in ready + (root.map { [$0] } ?? []) {
            let name = FileNames.metadata(draft.role, version: draft.common.version)
            writes.append(("\(metadataDirectory)/\(name)", draft))
        }
        if timestamp.common.version != published["timestamp"]?.common.version {
            writes.append(("\(metadataDirectory)/timestamp.json", timestamp))
        }
        try files { () throws(SystemError) in
            try Files.makeDirectory(metadataDirectory)
            try Files.makeDirectory(targetsDirectory)
            // All targets at once, before anything names them.
            sync()
            for write in writes {
                try Files.replace(write.path, with: write.draft.bytes)
                if write.draft.role == "root" { try Files.replace(rootFile, with: write.draft.bytes) }
            }
            for write in writes { try Files.remove("\(stagedDirectory)/\(write.draft.role).json") }
        }
        for write in writes {
            published[write.draft.role] = write.draft
            drafts[write.draft.role] = nil
            report.published.append((write.draft.role, write.draft.common.version))
        }
    }

    /// Gives roles whose time is half over a new version, if their keys are at hand, and clients a new timestamp.
    package func refresh() throws(RepositoryError) -> PublishReport {
        for place in places {
            guard drafts[place.name] == nil, let targets = targets(place.name),
                targets.common.expires < now + settings.period(place.name) / 2,
                place.role.keyIDs.filter({ keys.has($0) }).count >= place.role.threshold
            else { continue }
            renew(place.name)
        }
        let isHalfOver = (published["snapshot"]?.common.expires ?? 0) < now + settings.period("snapshot") / 2
        return try publish(forcing: isHalfOver ? ["snapshot", "timestamp"] : ["timestamp"])
    }
}
