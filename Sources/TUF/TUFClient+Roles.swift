// Roles with targets: fetched, checked against the snapshot and against whoever delegates to them.
extension TUFClient {
    mutating func fetch(_ link: Link, isSearched: Bool = false) -> Step {
        awaited = link
        awaitedBySearch = isSearched
        let facts = snapshot?.files["\(link.name).json"]
        return .fetch(
            path: FileNames.metadata(link.name, version: isConsistent ? facts?.version : nil),
            limit: min(facts?.length ?? limits.targets, limits.targets))
    }

    mutating func receivedRole(_ bytes: [UInt8]) throws(TUFError) {
        guard let link = awaited else { return }
        awaited = nil
        do throws(TUFError) {
            let targets = try check(bytes, link)
            keep(FileNames.metadata(link.name), bytes)
            accept(targets, bytes, link)
        } catch {
            try refuse(link, error)
        }
    }

    mutating func roleNotFound() throws(TUFError) {
        guard let link = awaited else { return }
        awaited = nil
        try refuse(link, missing(FileNames.metadata(link.name)))
    }

    /// A search cannot go past a role that is not good: it could have had the target. A walk can.
    private mutating func refuse(_ link: Link, _ error: TUFError) throws(TUFError) {
        guard link.name != "targets", !awaitedBySearch else { throw error }
        refused.append(Refused(role: link.name, delegator: link.delegator, error: error))
    }

    /// Takes a role that is on disk or was loaded by way of another role, if it is good in this place.
    mutating func useLocal(_ link: Link) -> Bool {
        guard roles[link] == nil else { return true }
        guard let bytes = roleBytes[link.name] ?? local[FileNames.metadata(link.name)],
            let targets = try? check(bytes, link)
        else { return false }
        accept(targets, bytes, link)
        return true
    }

    private mutating func accept(_ targets: Targets, _ bytes: [UInt8], _ link: Link) {
        if roleBytes.updateValue(bytes, forKey: link.name) == nil, link.name != "targets" {
            delegatedBytes += bytes.count
        }
        roles[link] = targets
        // The same wherever the role is reached: the snapshot names one version of it.
        delegations[link.name] = targets.delegations
        if case .targets = phase { phase = .ready }
    }

    /// What can be said against a role before it is fetched.
    func obstacle(_ link: Link) -> TUFError? {
        if snapshot?.files["\(link.name).json"] == nil {
            return TUFError(
                .version, FileNames.metadata(link.name),
                "\(printable(link.delegator)) delegates to it, but the snapshot does not have it")
        }
        if roles.count >= limits.roles || delegatedBytes >= limits.delegated {
            return TUFError(.limit, FileNames.metadata(link.name), "more delegated roles than allowed")
        }
        return nil
    }

    private func check(_ bytes: [UInt8], _ link: Link) throws(TUFError) -> Targets {
        guard let facts = snapshot?.files["\(link.name).json"] else {
            throw TUFError(.version, FileNames.metadata(link.name), "the snapshot does not have it")
        }
        let file = FileNames.metadata(link.name, version: isConsistent ? facts.version : nil)
        try checkLength(bytes, min(facts.length ?? limits.targets, limits.targets), file)
        try facts.check(bytes, file: file, by: "snapshot.json")
        let envelope = try Envelope(bytes, file: file, limits: limits)
        if link.delegator == "root" {
            try root.verify("targets", envelope)
        } else {
            guard let delegations = delegations[link.delegator], let role = delegations.role(link.name) else {
                throw TUFError(.signature, file, "\(printable(link.delegator)) does not delegate to it")
            }
            try role.verify(envelope, keys: delegations.keys, by: "the role \"\(printable(link.delegator))\"")
        }
        let targets = try Targets(envelope)
        try checkVersion(targets.common.version, facts.version, file, by: "snapshot.json")
        try checkExpiry(targets.common, file)
        return targets
    }

}
