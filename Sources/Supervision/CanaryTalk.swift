import Glibc
import Logging
import Platform
import ScanProtocol
import ScanTransport

/// What a canary says while it tries a generation: heard as it comes, so that a talkative module cannot fill the socket
/// and leave no room for the result.
final class CanaryTalk {
    /// Messages that are handled before others have their turn, and lines that are logged in all.
    private static let perTurn = 64
    private static let lines = 1_000

    private let link: PacketLink
    private let loop: PollLoop
    private let log: () -> Log
    private var watch: PollLoop.Token?
    private var logged = 0

    /// The generation that it found good.
    private(set) var loaded: UInt64?
    /// Why it refused.
    private(set) var failure: String?

    init(_ socket: Descriptor, _ loop: PollLoop, _ log: @escaping () -> Log) {
        link = PacketLink(socket, limit: WireLimits.request)
        self.loop = loop
        self.log = log
    }

    /// Hears what comes from now on.
    func listen() {
        watch = loop.watch(link.socket) { [unowned self] _ in
            if !hear(atMost: CanaryTalk.perTurn) { stop() }
        }
    }

    /// It ended: hears what is left, and closes.
    func end() {
        _ = hear(atMost: CanaryTalk.lines)
        stop()
    }

    private func stop() {
        loop.remove(watch)
        watch = nil
    }

    /// False when nothing more will come.
    private func hear(atMost limit: Int) -> Bool {
        do throws(PacketLink.Failure) {
            for _ in 0..<limit {
                guard let incoming = try link.receive() else { return true }
                take(try? WorkerReport(incoming.message))
            }
            return true
        } catch {
            return false
        }
    }

    private func take(_ report: WorkerReport?) {
        switch report {
        case .loaded(let generation): loaded = generation.number
        case .refused(_, let text): failure = text
        case .log(_, let text):
            logged += 1
            if logged <= CanaryTalk.lines { log().info("canary: \(text)") }
        default: break
        }
    }
}
