import Glibc
import Platform
import TUF

/// What a client that begins with the first root would find.
package struct RepositoryCheck: Sendable {
    package struct RoleState: Sendable {
        package let name: String
        package let version: Int64
        /// Seconds from now; below zero: it counts no more.
        package let expiresIn: Int64
        /// Seconds that it counts from when it is signed.
        package let period: Int64
        /// Of the keys that may sign it, how many are at hand.
        package let keysAtHand: Int
        package let keys: Int
        package let threshold: Int
    }

    package var roles: [RoleState] = []
    package var targets = 0
    /// Of the targets.
    package var bytes = 0
    /// Anything that keeps clients from something, a sentence each.
    package var problems: [String] = []
}

extension Repository {
    /// Goes through everything that is served as a client does, and reads every target.
    package func check() -> RepositoryCheck {
        var result = RepositoryCheck()
        var client: TUFClient
        do {
            let first = try Files.read("\(metadataDirectory)/1.root.json", limit: TUFLimits().root)
            client = try TUFClient(trusted: TrustedMetadata(root: first), now: now)
            client.loadDelegations()
            while case .fetch(let path, let limit) = try client.next() {
                let file = "\(metadataDirectory)/\(path)"
                if Files.exists(file) {
                    try client.received(try Files.read(file, limit: limit + 1))
                } else {
                    try client.notFound()
                }
            }
        } catch {
            result.problems.append("\(error)")
            addRoles(to: &result)
            return result
        }
        for refused in client.refused { result.problems.append(refused.error.description) }
        for target in client.targets {
            result.targets += 1
            result.bytes += target.length
            if let problem = problem(target) { result.problems.append(problem) }
        }
        addRoles(to: &result)
        return result
    }

    private func problem(_ target: Target) -> String? {
        do {
            _ = try target.kind()
            let path = "\(targetsDirectory)/\(target.location)"
            let file = try Descriptor.open(path, O_RDONLY)
            let checker = TargetChecker(target)
            var buffer = [UInt8](repeating: 0, count: 1 << 20)
            while true {
                let count = try checkedCount("read", path) { read(file.raw, &buffer, buffer.count) }
                if count == 0 { break }
                try checker.update(Array(buffer[..<count]))
            }
            try checker.finish()
            return nil
        } catch {
            return "\(error)"
        }
    }

    private func addRoles(to result: inout RepositoryCheck) {
        let root = published["root"]?.root
        func add(_ name: String, _ role: Role?) {
            guard let draft = published[name], let role else { return }
            let left = draft.common.expires - now
            result.roles.append(
                RepositoryCheck.RoleState(
                    name: name, version: draft.common.version, expiresIn: left, period: settings.period(name),
                    keysAtHand: role.keyIDs.filter { keys.has($0) }.count, keys: role.keyIDs.count,
                    threshold: role.threshold))
            if left <= 0 { result.problems.append("\(name): expired at \(MetadataTime.text(draft.common.expires))") }
        }
        for name in ["root", "timestamp", "snapshot"] { add(name, root?.roles[name]) }
        for place in places { add(place.name, place.role) }
    }

    /// Roles that wait for signatures.
    package var waiting: [String] { drafts.keys.sorted() }
}
