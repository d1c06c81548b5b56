import Glibc
import Platform
import TUF
import TUFRepository
import Testing

/// A repository in a directory of its own, and clients of what it serves.
final class Site {
    let directory: String
    var now: Int64 = 1_800_000_000
    static let day: Int64 = 86_400

    init() throws {
        var template = Array("/tmp/tufsite-XXXXXX".utf8CString)
        directory = String(cString: try #require(mkdtemp(&template)))
    }

    deinit { try? Files.remove(directory) }

    var repositoryDirectory: String { "\(directory)/repository" }
    var keyDirectory: String { "\(directory)/keys" }

    func ring(_ directories: [String]? = nil, passphrase: String? = nil) throws -> KeyRing {
        try KeyRing(directories ?? [keyDirectory]) { passphrase }
    }

    func create(_ plan: RepositoryPlan = RepositoryPlan(), passphrase: String? = nil) throws {
        let repository = try Repository.create(repositoryDirectory, plan, keys: ring(passphrase: passphrase), now: now)
        #expect(try repository.publish().waiting.isEmpty)
    }

    /// Opens the repository for one change, as the program does.
    @discardableResult
    func change<Value>(keys: KeyRing? = nil, _ body: (Repository) throws -> Value) throws -> Value {
        try body(Repository(repositoryDirectory, keys: try keys ?? ring(), now: now))
    }

    @discardableResult
    func publish(keys: KeyRing? = nil, _ body: (Repository) throws -> Void = { _ in }) throws -> PublishReport {
        try change(keys: keys) { repository in
            try body(repository)
            return try repository.publish()
        }
    }

    func write(_ path: String, _ content: String) throws -> String {
        let full = "\(directory)/source/\(path)"
        try Files.makeDirectory(Files.parent(of: full))
        try Files.replace(full, with: Array(content.utf8))
        return full
    }

    var source: String { "\(directory)/source" }

    func metadata(_ file: String) throws -> [UInt8] {
        try Files.read("\(repositoryDirectory)/public/metadata/\(file)")
    }

    /// A client that begins with a root, and what it has kept after the update.
    func client(
        root: Int = 1, kept: [String: [UInt8]]? = nil
    ) throws -> (client: TUFClient, kept: [String: [UInt8]]) {
        var kept = try kept ?? ["root.json": metadata("\(root).root.json")]
        var client = try TUFClient(trusted: TrustedMetadata(files: kept), now: now)
        client.loadDelegations()
        while case .fetch(let path, _) = try client.next() {
            if let bytes = try? metadata(path) { try client.received(bytes) } else { try client.notFound() }
            for change in client.takeKept() {
                switch change {
                case .write(let name, let bytes): kept[name] = bytes
                case .remove(let name): kept[name] = nil
                }
            }
        }
        return (client, kept)
    }

    func content(_ target: Target) throws -> [UInt8] {
        let bytes = try Files.read("\(repositoryDirectory)/public/targets/\(target.location)")
        try target.check(bytes)
        return bytes
    }

    /// Whether the repository finds itself good.
    func problems() throws -> [String] { try change { $0.check().problems } }
}
