package import JSON

/// What the fetching process is told: everything that it needs to know, for it reads no configuration.
package struct FetchPlan: Sendable, Equatable {
    /// Servers with the same files, in order of preference.
    package struct Server: Sendable, Equatable {
        package var base: String
        package var user: String
        package var password: String

        package init(base: String, user: String = "", password: String = "") {
            self.base = base
            self.user = user
            self.password = password
        }
    }

    /// Why a plain file is believed.
    package enum Check: Sendable, Equatable {
        /// SHA-256 of each file, in the order of the files.
        case pinned([String])
        /// Ed25519 signatures beside the files (`.sig`) by the key in this file.
        case key(String)
        /// OpenPGP signatures beside the files (`.asc`) by a key of this keyring; gpgv checks them.
        case keyring(String)
        /// SHA-512 or SHA-256 beside the files, which only show damage: the server is believed.
        case beside
        /// The server is believed because its certificate is good: https alone.
        case tls
        /// The content carries its own signatures (repository, clamav).
        case content
    }

    /// One upstream.
    package struct Upstream: Sendable, Equatable {
        package var name: String
        package var kind: UpstreamKind
        package var servers: [Server] = []
        /// What to fetch, below the servers' addresses: "name", or "remote/name=local" to give it another name here.
        package var files: [String] = []
        /// Endings that it may bring.
        package var formats: [String] = []
        /// The name that is asked for versions by DNS; "" for none.
        package var dns = ""
        package var check = Check.content
        /// Bytes of one file at most.
        package var limit = 1 << 30
        /// Scripts of changes or deltas are fetched in place of whole files, this many at most.
        package var changes = 30
        /// A root that came with the installation (repository).
        package var root = ""
        /// Where the metadata are kept that are trusted (repository).
        package var trusted = ""
        /// Where its files are in the mirror; "" for the mirror itself.
        package var folder = ""
        /// What it brought before.
        package var known: [SourceFile] = []

        package init(name: String, kind: UpstreamKind) {
            self.name = name
            self.kind = kind
        }
    }

    package var upstreams: [Upstream] = []
    /// Where the process may write.
    package var staging: String
    package var mirror: String
    /// Certificates of those who may sign containers.
    package var certificates = ""
    /// A folder like a mirror, in place of all servers; "" for none.
    package var offline = ""
    /// Fetch what only the mirror's clients need, too, and program component updates.
    package var mirrorsEverything = false
    package var mirrorsComponents = false
    /// Ask also servers that want to be left alone.
    package var ignoresRests = false
    package var rests: [String: Int64] = [:]
    package var proxy = ""
    package var proxyUser = ""
    package var proxyPassword = ""
    package var timeout = 60
    package var rate = 0
    package var authorities = ""
    package var agent = "esets"

    package init(staging: String, mirror: String) {
        self.staging = staging
        self.mirror = mirror
    }
}

extension FetchPlan {
    package init?(_ json: JSONValue) {
        guard let staging = json["staging"]?.string, let mirror = json["mirror"]?.string,
            let upstreams = json["upstreams"]?.array
        else { return nil }
        self.init(staging: staging, mirror: mirror)
        func text(_ name: String) -> String { json[name]?.string ?? "" }
        certificates = text("certificates")
        offline = text("offline")
        mirrorsEverything = json["mirror_everything"]?.bool ?? false
        mirrorsComponents = json["mirror_components"]?.bool ?? false
        ignoresRests = json["ignore_rests"]?.bool ?? false
        for (host, until) in json["rests"]?.object ?? [:] { rests[host] = until.integer }
        proxy = text("proxy")
        proxyUser = text("proxy_user")
        proxyPassword = text("proxy_password")
        timeout = Int(json["timeout"]?.integer ?? 60)
        rate = Int(json["rate"]?.integer ?? 0)
        authorities = text("authorities")
        agent = text("agent")
        for value in upstreams {
            guard let upstream = Upstream(value) else { return nil }
            self.upstreams.append(upstream)
        }
    }

    package var json: JSONValue {
        .object([
            "staging": .string(staging), "mirror": .string(mirror), "certificates": .string(certificates),
            "offline": .string(offline), "mirror_everything": .bool(mirrorsEverything),
            "mirror_components": .bool(mirrorsComponents), "ignore_rests": .bool(ignoresRests),
            "rests": .object(rests.mapValues { .integer($0) }), "proxy": .string(proxy),
            "proxy_user": .string(proxyUser), "proxy_password": .string(proxyPassword),
            "timeout": .integer(Int64(timeout)), "rate": .integer(Int64(rate)), "authorities": .string(authorities),
            "agent": .string(agent), "upstreams": .array(upstreams.map(\.json)),
        ])
    }
}

extension FetchPlan.Upstream {
    init?(_ json: JSONValue) {
        guard let name = json["name"]?.string, SafePath.isName(name),
            let kind = json["kind"]?.string.flatMap(UpstreamKind.init), let check = FetchPlan.Check(json["check"])
        else { return nil }
        self.init(name: name, kind: kind)
        self.check = check
        func list(_ name: String) -> [String] { json[name]?.array?.compactMap(\.string) ?? [] }
        func text(_ name: String) -> String { json[name]?.string ?? "" }
        servers = (json["servers"]?.array ?? []).map {
            FetchPlan.Server(
                base: $0["base"]?.string ?? "", user: $0["user"]?.string ?? "", password: $0["password"]?.string ?? "")
        }
        files = list("files")
        formats = list("formats")
        dns = text("dns")
        limit = Int(json["limit"]?.integer ?? 1 << 30)
        changes = Int(json["changes"]?.integer ?? 30)
        root = text("root")
        trusted = text("trusted")
        folder = text("folder")
        known = (json["known"]?.array ?? []).compactMap { SourceFile($0) }
    }

    var json: JSONValue {
        func list(_ values: [String]) -> JSONValue { .array(values.map { .string($0) }) }
        return .object([
            "name": .string(name), "kind": .string(kind.rawValue), "check": check.json,
            "servers": .array(
                servers.map {
                    .object(["base": .string($0.base), "user": .string($0.user), "password": .string($0.password)])
                }),
            "files": list(files), "formats": list(formats), "dns": .string(dns), "limit": .integer(Int64(limit)),
            "changes": .integer(Int64(changes)), "root": .string(root), "trusted": .string(trusted),
            "folder": .string(folder), "known": .array(known.map(\.json)),
        ])
    }
}

extension FetchPlan.Check {
    init?(_ json: JSONValue?) {
        switch json?["by"]?.string {
        case "pinned": self = .pinned(json?["digests"]?.array?.compactMap(\.string) ?? [])
        case "key": self = .key(json?["path"]?.string ?? "")
        case "keyring": self = .keyring(json?["path"]?.string ?? "")
        case "beside": self = .beside
        case "tls": self = .tls
        case "content": self = .content
        default: return nil
        }
    }

    var json: JSONValue {
        switch self {
        case .pinned(let digests): ["by": "pinned", "digests": .array(digests.map { .string($0) })]
        case .key(let path): ["by": "key", "path": .string(path)]
        case .keyring(let path): ["by": "keyring", "path": .string(path)]
        case .beside: ["by": "beside"]
        case .tls: ["by": "tls"]
        case .content: ["by": "content"]
        }
    }
}
