/// The way through delegated roles to one target: the roles that may bring it, in the order of trust, depth first
/// (specification section 5.6.7).
struct Search: Sendable {
    struct Place: Sendable {
        let link: TUFClient.Link
        /// The roles on the way, the last one included.
        let roles: [String]
        let allowed: Set<TargetKind>?
    }

    let path: String
    private let digest: String
    /// The next one last.
    var open: [Place] = [
        Place(link: TUFClient.Link(name: "targets", delegator: "root"), roles: ["targets"], allowed: nil)
    ]
    private var visited: Set<String> = []

    init(_ path: String) {
        self.path = path
        digest = Hexadecimal.text(SHA2.sha256(Array(path.utf8)))
    }

    /// How many roles were looked into.
    var visits: Int { visited.count }

    /// The next role to look into; each one once, so that circles end.
    mutating func nextPlace() -> Place? {
        while let place = open.last {
            if !visited.contains(place.link.name) { return place }
            open.removeLast()
        }
        return nil
    }

    /// Looks into the role that `nextPlace` gave.
    mutating func visit(_ targets: Targets, isConsistent: Bool) -> Target? {
        let place = open.removeLast()
        visited.insert(place.link.name)
        if let file = targets.file(path) {
            return Target(
                path: path, file: file, roles: place.roles, allowed: place.allowed, isConsistent: isConsistent)
        }
        guard let delegations = targets.delegations else { return nil }
        var ways: [Place] = []
        for way in delegations.ways(to: path, digest: digest) {
            ways.append(
                Place(
                    link: TUFClient.Link(name: way.name, delegator: place.link.name), roles: place.roles + [way.name],
                    allowed: TargetKind.allowed(place.allowed, by: way.kinds)))
            if way.isTerminating {
                // Nobody who comes later is asked.
                open = []
                break
            }
        }
        open += ways.reversed()
        return nil
    }
}
