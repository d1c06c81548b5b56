import JSON
import Platform

/// What a repository's operator decided once: `publish.json`.
package struct RepositorySettings: Sendable, Equatable {
    /// Days that a file of a role counts, from when it is signed. Delegated roles that are not named have those of
    /// "delegated".
    package var days: [String: Int] = ["root": 365, "targets": 180, "delegated": 30, "snapshot": 30, "timestamp": 3]
    /// From how many older versions of a target deltas are made.
    package var deltas = 4

    package init() {}

    /// Seconds that a file of a role counts. The bin "lists-3" is like "lists".
    func period(_ role: String) -> Int64 {
        let own = days[role] ?? role.lastIndex(of: "-").flatMap { days[String(role[..<$0])] }
        return Int64(own ?? days["delegated"] ?? 30) * 86_400
    }

    init(path: String) throws(RepositoryError) {
        let bytes = try files { () throws(SystemError) in try Files.read(path, limit: 1 << 16) }
        guard let json = try? JSONValue(parsing: bytes), let days = json["days"]?.object,
            let deltas = json["deltas"]?.integer, (0...100).contains(deltas)
        else { throw RepositoryError(.damaged, "\(path): no settings of a repository") }
        for (role, value) in days {
            guard let value = value.integer, (1...36_500).contains(value) else {
                throw RepositoryError(.damaged, "\(path): the days of \(role) must be a number from 1 to 36500")
            }
            self.days[role] = Int(value)
        }
        self.deltas = Int(deltas)
    }

    func write(_ path: String) throws(RepositoryError) {
        let json: JSONValue = [
            "days": .object(days.mapValues { .integer(Int64($0)) }), "deltas": .integer(Int64(deltas)),
        ]
        try files { () throws(SystemError) in try Files.replace(path, with: json.bytes(.pretty) + [0x0A]) }
    }
}
