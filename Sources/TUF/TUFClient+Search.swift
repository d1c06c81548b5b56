extension TUFClient {
    /// When the top-level roles are good: first what `loadDelegations` wants, then what `find` wants.
    mutating func nextOfReady() throws(TUFError) -> Step {
        if let link = try nextOfWalk() { return fetch(link) }
        guard search != nil else { return .done }
        do throws(TUFError) {
            return try nextOfSearch()
        } catch {
            search = nil
            throw error
        }
    }

    private mutating func nextOfSearch() throws(TUFError) -> Step {
        while let place = search?.nextPlace() {
            guard let visits = search?.visits, visits < limits.visits else {
                search = nil
                return .notFound
            }
            guard useLocal(place.link) else {
                if let error = refusal(of: place.link) ?? obstacle(place.link) { throw error }
                return fetch(place.link, isSearched: true)
            }
            guard let targets = roles[place.link] else { break }
            let isConsistent = isConsistent
            if let target = search?.visit(targets, isConsistent: isConsistent) {
                search = nil
                return .found(target)
            }
        }
        search = nil
        return .notFound
    }

    /// The next role that `loadDelegations` has to fetch.
    private mutating func nextOfWalk() throws(TUFError) -> Link? {
        guard loadsDelegations else { return nil }
        if walk == nil { walk = [Link(name: "targets", delegator: "root")] }
        while let link = walk?.popLast() {
            guard !walked.contains(link) else { continue }
            if !useLocal(link) {
                // Fetched once: after that it is loaded or refused.
                if refusal(of: link) != nil {
                    walked.insert(link)
                    continue
                }
                if let error = obstacle(link) {
                    refused.append(Refused(role: link.name, delegator: link.delegator, error: error))
                    walked.insert(link)
                    continue
                }
                walk?.append(link)
                return link
            }
            walked.insert(link)
            guard let delegations = roles[link]?.delegations else { continue }
            let names = delegations.names(limit: limits.roles + 1)
            walk?.append(contentsOf: names.reversed().map { Link(name: $0, delegator: link.name) })
        }
        return nil
    }

    private func refusal(of link: Link) -> TUFError? {
        refused.first { $0.role == link.name && $0.delegator == link.delegator }?.error
    }

    /// Every target that a search would find in the roles that are loaded, in the order of their paths. One that a role
    /// in front of it could have, which is refused, is left out.
    package var targets: [Target] {
        var paths: Set<String> = []
        for role in roles.values { paths.formUnion(role.files.keys) }
        return paths.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.compactMap { target($0) }
    }

    /// The target of this path, if a search would find it in the roles that are loaded.
    package func target(_ path: String) -> Target? {
        var search = Search(path)
        while search.visits < limits.visits, let place = search.nextPlace(), let targets = roles[place.link] {
            if let target = search.visit(targets, isConsistent: isConsistent) { return target }
        }
        return nil
    }
}
