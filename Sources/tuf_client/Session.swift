import Fetching
import Platform
import Programs
import TUF
import TUFStore

/// One update; whatever fails ends the program.
struct Session {
    private let store: MetadataStore
    private let metadata: String
    private let fetcher: Fetcher
    private var client: TUFClient

    init(store: MetadataStore, metadata: String) {
        self.store = store
        self.metadata = metadata
        var settings = NetworkSettings()
        settings.allowsFiles = true
        fetcher = Fetcher(settings)
        do {
            client = try TUFClient(trusted: try store.load(), now: Int64(Clock.realtime / 1_000_000_000))
        } catch {
            Main.program.fail("\(error)")
        }
    }

    mutating func refresh() { _ = run() }

    /// Downloads a target unless it is there already.
    mutating func download(_ name: String, from base: String, to folder: String) {
        client.find(target: name)
        guard case .found(let target) = run() else { Main.program.fail("\(name): no role has this target") }
        let path = "\(folder)/\(FileNames.encoded(role: target.path))"
        if let bytes = try? Files.read(path, limit: target.length + 1), (try? target.check(bytes)) != nil { return }
        do {
            guard let bytes = try fetcher.bytes(base + target.address, limit: target.length) else {
                Main.program.fail("\(target.path): the repository does not have it")
            }
            try target.check(bytes)
            try Files.makeDirectory(folder)
            try Files.replace(path, with: bytes)
        } catch {
            Main.program.fail("\(error)")
        }
    }

    /// Fetches whatever the client asks for, and keeps what it accepts.
    private mutating func run() -> TUFClient.Step {
        do {
            while true {
                let step = try client.next()
                guard case .fetch(let path, let limit) = step else { return step }
                if let bytes = try fetcher.bytes(metadata + path, limit: limit, isGuess: client.isGuessing) {
                    try client.received(bytes)
                } else {
                    try client.notFound()
                }
                try store.apply(client.takeKept())
            }
        } catch {
            Main.program.fail("\(error)")
        }
    }
}
