/// The client's side of an update, as the specification's section 5 has it: decides what to fetch, and what to believe.
/// It does no I/O and has no clock.
///
///     var client = try TUFClient(trusted: kept, now: seconds)
///     client.loadDelegations()
///     while true {
///         switch try client.next() {
///         case .fetch(let path, let limit): // fetch at most limit bytes of path below the repository's "metadata/"
///             try client.received(bytes)    // or, when the server says that it is not there, try client.notFound()
///             // carry out client.takeKept(), in order, before going on
///         case .done: // client.targets
///         ...
///
/// Whatever throws ends the update; what was taken with `takeKept` until then stays right.
package struct TUFClient: Sendable {
    package enum Step: Sendable, Equatable {
        /// A metadata file is needed: its path relative to the metadata of the repository, as a part of an address, and
        /// how many bytes it may have.
        case fetch(path: String, limit: Int)
        /// What `find` was asked for.
        case found(Target)
        /// No role that may bring it has the target that `find` was asked for.
        case notFound
        /// Everything that was asked for is done.
        case done
    }

    /// A delegated role that cannot be used, and why. What other roles bring is not touched by it.
    package struct Refused: Sendable, Equatable {
        package let role: String
        package let delegator: String
        package let error: TUFError
    }

    /// A role as one of those who delegate to it sees it.
    struct Link: Hashable, Sendable {
        let name: String
        let delegator: String
    }

    enum Phase: Sendable {
        case root, timestamp, snapshot, targets, ready
        case failed(TUFError)
    }

    let now: Int64
    let limits: TUFLimits
    var phase = Phase.root
    /// What is on disk; not yet trusted.
    var local: [String: [UInt8]]
    package internal(set) var root: Root
    package internal(set) var timestamp: Timestamp?
    package internal(set) var snapshot: Snapshot?
    /// Roles with targets that are good, and where they were reached.
    var roles: [Link: Targets] = [:]
    /// What loaded roles delegate, by their names.
    var delegations: [String: Delegations] = [:]
    /// The bytes of roles, for when another role delegates to them too.
    var roleBytes: [String: [UInt8]] = [:]
    var delegatedBytes = 0
    package internal(set) var refused: [Refused] = []
    private var kept: [Kept] = []
    var rotations = 0
    /// The role that was asked for with `.fetch`.
    var awaited: Link?
    /// Whether a search needs it, which cannot go on without.
    var awaitedBySearch = false
    var search: Search?
    /// Roles that `loadDelegations` still has to load, the last one first; nil when it was not asked for.
    var walk: [Link]?
    var walked: Set<Link> = []
    var loadsDelegations = false

    /// - Parameters:
    ///   - trusted: what was kept.
    ///   - now: seconds since 1970; stays the same for the whole update, so that no slow server can make time pass.
    /// - Throws: when the root is not good. It may be expired: a newer one may be fetched.
    package init(trusted: TrustedMetadata, now: Int64, limits: TUFLimits = TUFLimits()) throws(TUFError) {
        guard let bytes = trusted.files["root.json"] else {
            throw TUFError(.missing, "root.json", "there is no trusted root to begin with")
        }
        guard bytes.count <= limits.root else {
            throw TUFError(.tooLong, "root.json", "more than \(limits.root) bytes")
        }
        self.now = now
        self.limits = limits
        local = trusted.files
        let envelope = try Envelope(bytes, file: "root.json", limits: limits)
        root = try Root(envelope)
        try root.verify("root", envelope)
    }

    /// What to write to the disk and to remove, in this order; each part once.
    package mutating func takeKept() -> [Kept] {
        defer { kept = [] }
        return kept
    }

    mutating func keep(_ name: String, _ bytes: [UInt8]) {
        local[name] = bytes
        kept.append(.write(name: name, bytes: bytes))
    }

    mutating func forget(_ name: String) {
        guard local.removeValue(forKey: name) != nil else { return }
        kept.append(.remove(name: name))
    }

    /// Whether targets have their hash in front of their name.
    package var isConsistent: Bool { root.consistentSnapshot }

    /// The top-level role, once it is loaded.
    package var topLevel: Targets? { roles[Link(name: "targets", delegator: "root")] }

    /// Whether the file that `next` asks for need not be there: the root after the one that is trusted.
    package var isGuessing: Bool { if case .root = phase { true } else { false } }

    /// The file of a role with targets that was accepted in this update; nil for one that is refused, of which an older
    /// version may still be kept.
    package func accepted(role: String) -> [UInt8]? { roleBytes[role] }

    /// Asks for a target. `next` gives `.found` or `.notFound` when everything that takes has been fetched.
    package mutating func find(target path: String) {
        search = Search(path)
    }

    /// Asks for all roles that are delegated to, directly or not, so that `targets` is complete. One that cannot be used
    /// is listed in `refused`.
    package mutating func loadDelegations() {
        loadsDelegations = true
    }

    /// What to do next.
    package mutating func next() throws(TUFError) -> Step {
        switch phase {
        case .failed(let error): throw error
        case .root:
            guard rotations < limits.rotations else {
                return try fail(
                    TUFError(.limit, "root.json", "more than \(limits.rotations) new versions; update once more"))
            }
            return .fetch(path: FileNames.metadata("root", version: root.common.version + 1), limit: limits.root)
        case .timestamp: return .fetch(path: "timestamp.json", limit: limits.timestamp)
        case .snapshot:
            guard let facts = timestamp?.snapshot else { return .done }
            return .fetch(
                path: FileNames.metadata("snapshot", version: isConsistent ? facts.version : nil),
                limit: min(facts.length ?? limits.snapshot, limits.snapshot))
        case .targets:
            guard snapshot?.files["targets.json"] != nil else {
                return try fail(TUFError(.malformed, "snapshot.json", "it does not say which targets.json"))
            }
            return fetch(Link(name: "targets", delegator: "root"))
        case .ready: return try nextOfReady()
        }
    }

    /// Takes the file that `next` asked for. What is not good ends the update, except for delegated roles that only
    /// `loadDelegations` wants.
    package mutating func received(_ bytes: [UInt8]) throws(TUFError) {
        do throws(TUFError) {
            switch phase {
            case .failed(let error): throw error
            case .root: try receivedRoot(bytes)
            case .timestamp: try receivedTimestamp(bytes)
            case .snapshot: try receivedSnapshot(bytes)
            case .targets, .ready: try receivedRole(bytes)
            }
        } catch {
            phase = .failed(error)
            throw error
        }
    }

    /// The server does not have the file that `next` asked for. For a new root that is how it should be.
    package mutating func notFound() throws(TUFError) {
        do throws(TUFError) {
            switch phase {
            case .failed(let error): throw error
            case .root: try finishRoot()
            case .timestamp: throw missing("timestamp.json")
            case .snapshot: throw missing("snapshot.json")
            case .targets: throw missing("targets.json")
            case .ready: try roleNotFound()
            }
        } catch {
            phase = .failed(error)
            throw error
        }
    }

    func missing(_ file: String) -> TUFError { TUFError(.missing, file, "the repository does not have it") }

    private mutating func fail(_ error: TUFError) throws(TUFError) -> Step {
        phase = .failed(error)
        throw error
    }
}
