import Configuration
import Platform
import Programs
import Updates

/// Makes the plan of stage 1 of the configuration and the command line.
struct UpstreamConfiguration {
    private let configuration: Configuration
    private let arguments: Arguments
    /// Where the update tool keeps what it remembers.
    let data: String
    let mirror: String
    private let certificates: String

    /// The update servers' name among upstreams.
    static let main = "repository"

    init(_ configuration: Configuration, _ arguments: Arguments, mirror: String) {
        self.configuration = configuration
        self.arguments = arguments
        self.mirror = mirror
        data = configuration.paths.updateStateDirectory
        certificates = configuration.paths.certificatesDirectory
    }

    var staging: String { "\(data)/fetch" }
    var trusted: String { "\(data)/trusted" }
    var state: String { "\(data)/sources.json" }

    /// Everything that may be fetched.
    func plan(_ state: SourceState) throws(UpdateError) -> FetchPlan {
        let global = configuration.global
        var plan = FetchPlan(staging: staging, mirror: mirror)
        plan.certificates = "\(certificates)/signatures"
        plan.offline = arguments.value("offline").map(Arguments.absolute) ?? ""
        plan.mirrorsEverything = global.flag("av_mirror_enabled")
        plan.mirrorsComponents = global.flag("av_mirror_enabled") && global.flag("av_mirror_pcu")
        plan.ignoresRests = arguments.has("force")
        plan.rests = state.rests
        let proxy = global.text("proxy_addr")
        if !proxy.isEmpty {
            plan.proxy = "\(proxy.contains(":") ? "[\(proxy)]" : proxy):\(global.number("proxy_port"))"
        }
        plan.proxyUser = global.text("proxy_username")
        plan.proxyPassword = global.text("proxy_password")
        plan.timeout = global.number("av_update_timeout")
        plan.rate = global.number("av_update_rate")
        plan.authorities = global.text("av_update_ca_file")
        plan.agent = "\(Product.name)/\(Product.version)"
        if let repository = mainRepository(state) { plan.upstreams.append(repository) }
        for (name, settings) in configuration.upstreams where settings.flag("update_enabled") {
            plan.upstreams.append(try upstream(name, settings, state))
        }
        return plan
    }

    // MARK: - The update servers

    private func mainRepository(_ state: SourceState) -> FetchPlan.Upstream? {
        let global = configuration.global
        let user = arguments.value("username") ?? global.text("av_update_username")
        let password = arguments.value("password") ?? global.text("av_update_password")
        var upstream = FetchPlan.Upstream(name: Self.main, kind: .repository)
        if let server = arguments.value("server") {
            upstream.servers = [.init(base: server, user: user, password: password)]
        } else {
            let first = global.text("av_update_server")
            var bases = first.isEmpty ? [] : [first]
            for base in global.list("av_update_server_list") where !bases.contains(base) { bases.append(base) }
            upstream.servers = bases.map { .init(base: $0, user: user, password: password) }
            let last = global.text("av_update_failsafe_server")
            if !last.isEmpty {
                upstream.servers.append(
                    .init(
                        base: last, user: global.text("av_update_failsafe_username"),
                        password: global.text("av_update_failsafe_password")))
            }
        }
        let root = global.text("av_update_root")
        // From a folder: if there is a repository in it, and a root to check it with.
        let isOffline = arguments.value("offline").map { Files.exists("\($0)/metadata/timestamp.json") } ?? false
        guard !upstream.servers.isEmpty || isOffline else { return nil }
        upstream.root = root
        upstream.trusted = "\(trusted)/\(Self.main)"
        upstream.known = state.upstreams[Self.main]?.files ?? []
        return upstream
    }

    // MARK: - Sections

    private func upstream(
        _ name: String, _ settings: Settings, _ state: SourceState
    ) throws(UpdateError) -> FetchPlan.Upstream {
        func wrong(_ parameter: String, _ reason: String) -> UpdateError {
            let place = settings.origin(of: parameter).map { "\($0.file):\($0.line): " } ?? ""
            return UpdateError(.configuration, "\(place)[update:\(name)]: \(parameter) \(reason)")
        }
        guard let kind = UpstreamKind(rawValue: settings.text("update_kind")) else {
            throw wrong("update_kind", "is not known")
        }
        guard name != Self.main else {
            throw wrong("update_kind", "cannot stand here: \(name) is the name of the update servers")
        }
        var upstream = FetchPlan.Upstream(name: name, kind: kind)
        upstream.servers = settings.list("update_server").map {
            .init(base: $0, user: settings.text("update_username"), password: settings.text("update_password"))
        }
        upstream.dns = settings.text("update_dns")
        upstream.limit = settings.number("update_max_size")
        upstream.changes = settings.number("update_changes")
        upstream.folder = "upstreams/\(name)"
        upstream.trusted = "\(trusted)/\(name)"
        upstream.root = settings.text("update_root")
        upstream.known = state.upstreams[name]?.files ?? []
        upstream.files = settings.list("update_files")
        let asked = settings.list("update_formats").map { $0.lowercased() }
        for format in asked where !kind.formats.contains(format) {
            throw wrong("update_formats", "names .\(format), which a source of the kind \(kind.rawValue) cannot bring")
        }
        upstream.formats = (asked.isEmpty ? Array(kind.formats) : asked).sorted()
        // An archive is no format by itself: it may be brought with what it holds.
        if kind == .list, !asked.isEmpty {
            upstream.formats = Set(asked).union(Formats.archives).sorted()
        }
        let needsServer = kind != .spamassassin || upstream.dns.isEmpty
        guard !upstream.servers.isEmpty || !needsServer || arguments.has("offline") else {
            throw wrong("update_server", "is missing")
        }
        if kind == .clamav, upstream.files.isEmpty { upstream.files = ["main", "daily", "bytecode"] }
        if kind == .clamav {
            for file in upstream.files where !SafePath.isName(file) || file.contains(".") {
                throw wrong("update_files", "names \(file), which is no database: write main,daily,bytecode")
            }
        }
        guard kind != .repository || !upstream.root.isEmpty else { throw wrong("update_root", "is missing") }
        guard !upstream.files.isEmpty || kind == .repository || kind == .spamassassin else {
            throw wrong("update_files", "is missing")
        }
        if kind != .repository, kind != .clamav { upstream.check = try check(settings, upstream, wrong) }
        return upstream
    }

    private func check(
        _ settings: Settings, _ upstream: FetchPlan.Upstream, _ wrong: (String, String) -> UpdateError
    ) throws(UpdateError) -> FetchPlan.Check {
        let (key, keyring) = (settings.text("update_key"), settings.text("update_keyring"))
        let checksum = settings.list("update_checksum")
        guard [!key.isEmpty, !keyring.isEmpty, !checksum.isEmpty].count(where: { $0 }) == 1 else {
            throw wrong(
                "update_checksum", "or update_key or update_keyring must say why its files are believed, one of them")
        }
        if !key.isEmpty { return .key(key) }
        if !keyring.isEmpty { return .keyring(keyring) }
        switch checksum {
        case ["tls"]: return .tls
        case ["beside"]: return .beside
        default:
            let digests = checksum.map { $0.lowercased() }
            guard digests.allSatisfy(SafePath.isDigest), digests.count == upstream.files.count else {
                throw wrong("update_checksum", "must be tls, beside, or one SHA-256 for each of update_files")
            }
            return .pinned(digests)
        }
    }

    // MARK: - When

    /// Whether a section says that it is too early to ask again. A clock that was set back does not count.
    func isResting(_ name: String, _ state: SourceState, now: Int64) -> Bool {
        guard let settings = configuration.upstreams.first(where: { $0.name == name })?.settings,
            let known = state.upstreams[name], known.failure == nil
        else { return false }
        let passed = now - known.checked
        return passed >= 0 && passed < Int64(settings.number("update_interval")) * 60
    }
}
