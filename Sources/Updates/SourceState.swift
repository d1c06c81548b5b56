package import JSON
import Platform

/// What upstreams brought up to now: `@BASEDIR@/data/sources.json`. Replaced as a whole, after the files that it names are
/// on the disk.
package struct SourceState: Sendable, Equatable {
    package struct Upstream: Sendable, Equatable {
        package var kind: UpstreamKind
        /// Of what it brought, for people; "" when it has none.
        package var version = ""
        /// When it was last asked successfully, and when it last brought something new; seconds since 1970.
        package var checked: Int64 = 0
        package var updated: Int64 = 0
        /// Why the last attempt failed; nil when it did not.
        package var failure: String?
        package var files: [SourceFile] = []

        package init(kind: UpstreamKind) {
            self.kind = kind
        }
    }

    package var upstreams: [String: Upstream] = [:]
    /// Until when servers asked to be left alone, by host; seconds since 1970.
    package var rests: [String: Int64] = [:]

    package init() {}

    /// All files with a role, upstreams in the order of their names.
    package func files(_ role: SourceFile.Role) -> [SourceFile] {
        upstreams.sorted { $0.key < $1.key }.flatMap { $0.value.files.filter { $0.role == role } }
    }

    // MARK: The file

    private static let format: Int64 = 1
    private static let sizeLimit = 64 << 20

    /// Reads it; an empty one when there is none.
    package static func load(_ path: String) throws(UpdateError) -> SourceState {
        guard Files.exists(path) else { return SourceState() }
        let bytes: [UInt8]
        do throws(SystemError) { bytes = try Files.read(path, limit: sizeLimit) } catch {
            throw UpdateError(.sources, error.description)
        }
        guard let json = try? JSONValue(parsing: bytes, limits: .init(size: sizeLimit)), let state = SourceState(json)
        else { throw UpdateError(.sources, "\(path): it is damaged; esets_update fetches everything again") }
        return state
    }

    /// Writes it, after which it counts.
    package func save(_ path: String) throws(UpdateError) {
        do throws(SystemError) {
            try Files.makeDirectory(Files.parent(of: path))
            try Files.replace(path, with: Array((json.text(.pretty) + "\n").utf8))
        } catch {
            throw UpdateError(error)
        }
    }

    package init?(_ json: JSONValue) {
        guard json["format"]?.integer == Self.format, let list = json["upstreams"]?.object else { return nil }
        for (name, value) in list {
            guard SafePath.isName(name), let kind = value["kind"]?.string.flatMap(UpstreamKind.init),
                let files = value["files"]?.array
            else { return nil }
            var upstream = Upstream(kind: kind)
            upstream.version = value["version"]?.string ?? ""
            upstream.checked = value["checked"]?.integer ?? 0
            upstream.updated = value["updated"]?.integer ?? 0
            upstream.failure = value["failure"]?.string
            for file in files {
                guard let file = SourceFile(file) else { return nil }
                upstream.files.append(file)
            }
            upstreams[name] = upstream
        }
        for (host, until) in json["rests"]?.object ?? [:] { rests[host] = until.integer }
    }

    package var json: JSONValue {
        .object([
            "format": .integer(Self.format),
            "upstreams": .object(
                upstreams.mapValues { upstream in
                    var members: [String: JSONValue] = [
                        "kind": .string(upstream.kind.rawValue), "checked": .integer(upstream.checked),
                        "updated": .integer(upstream.updated), "files": .array(upstream.files.map(\.json)),
                    ]
                    if !upstream.version.isEmpty { members["version"] = .string(upstream.version) }
                    if let failure = upstream.failure { members["failure"] = .string(failure) }
                    return .object(members)
                }),
            "rests": .object(rests.mapValues { .integer($0) }),
        ])
    }
}
