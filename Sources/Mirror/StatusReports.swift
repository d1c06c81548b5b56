import Bytes
import JSON
import Platform
import Synchronization

/// The statistics over HTTP, for those who may see them: /metrics for Prometheus, /status.json for other programs, /status
/// for people.
final class StatusReports: Sendable {
    enum Kind: Sendable {
        case prometheus, json, plain

        /// nil for any other target.
        init?(_ target: ByteView) {
            func named(_ name: StaticString) -> Bool {
                target.count == name.utf8CodeUnitCount && target.buffer.elementsEqual(ByteView(name).buffer)
            }
            if named("/metrics") {
                self = .prometheus
            } else if named("/status.json") {
                self = .json
            } else if named("/status") {
                self = .plain
            } else {
                return nil
            }
        }
    }

    /// Looking through the whole directory takes a while: it is done at most each 30 seconds.
    private static let patience: UInt64 = 30 * 1_000_000_000

    private let root: DocumentRoot
    private let statistics: Statistics
    private let facts = Mutex<(facts: MirrorFacts, at: UInt64)?>(nil)

    init(_ root: DocumentRoot, _ statistics: Statistics) {
        self.root = root
        self.statistics = statistics
    }

    func response(_ kind: Kind) -> Response? {
        let facts = facts.withLock { known -> MirrorFacts in
            let now = Clock.now
            if let known, now &- known.at < StatusReports.patience { return known.facts }
            let facts = MirrorFacts.read(root.path)
            known = (facts, now)
            return facts
        }
        let text = StatisticsText(counters: statistics.snapshot, facts: facts)
        let (content, type) =
            switch kind {
            case .prometheus: (text.prometheus, "text/plain; version=0.0.4")
            case .json: (text.json.text(.pretty) + "\n", "application/json")
            case .plain: (text.plain, "text/plain")
            }
        return .bytes(200, Array(content.utf8), [("Content-Type", type), ("Cache-Control", "no-store")])
    }
}
