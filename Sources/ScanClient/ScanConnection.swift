import Glibc
import Platform
package import ScanProtocol
import ScanTransport

/// Answers the questions of a suspended scan: for each question one answer. Called on the scanning thread.
package typealias Resolver = @Sendable ([Question]) -> [Answer]

extension Answer {
    /// What is said when there is no resolver: nobody knows.
    package static func failed(_ questions: [Question]) -> [Answer] {
        questions.map { Answer(question: $0, result: .failed) }
    }
}

/// The synchronous client: scans one object at a time and waits for each.
///
/// Not Sendable: it belongs to one thread. A program that scans with several threads makes several.
/// Connections are made when they are needed, and made again after the daemon was restarted.
package final class ScanConnection {
    private let path: String
    private let agent: String
    /// How long an unavailable scanner is tried again, in nanoseconds.
    private let patience: UInt64
    private var manager: ManagerConnection?
    private var shared: WorkerConnection?
    private let resolver: Resolver

    /// How long a verdict may take. The scanning process ends a scan much earlier by itself; this is for one
    /// that was stopped from outside.
    private static let verdictTime: UInt64 = 900 * 1_000_000_000

    /// - Parameters:
    ///   - path: the socket of the daemon, `daemon_sock_path`.
    ///   - agent: section name of this agent, e.g. "cli".
    ///   - patience: how long an unavailable scanner is tried again.
    ///   - resolver: answers questions that need the network; without one they are answered "failed".
    package init(
        path: String, agent: String, patience: Duration = .seconds(30),
        resolver: @escaping Resolver = { Answer.failed($0) }
    ) {
        self.path = path
        self.agent = agent
        self.patience = UInt64(max(0, patience / .nanoseconds(1)))
        self.resolver = resolver
    }

    /// Scans one object.
    ///
    /// - Throws: `ScanClientError`; `.unavailable` is a temporary failure. An error is never a verdict.
    package func scan(
        _ object: ScanObject, options: ScanOptions, envelope: ScanEnvelope
    ) throws(ScanClientError) -> ScanVerdict {
        let order = ScanOrder(options: options, envelope: envelope, name: object.name, size: object.size)
        var plan = RetryPlan(now: Clock.now, patience: patience)
        var step = plan.start
        var last = ScanClientError(.unavailable, "\(path): no scanning process is available")
        while true {
            switch step {
            case .attempt(let isAlone, let delay):
                if delay > 0 { usleep(UInt32(delay / 1_000)) }
                switch attempt(order, object, isAlone: isAlone) {
                case .verdict(let verdict): return verdict
                case .lost(let worker): step = plan.lost(worker: worker)
                case .unavailable(let error):
                    last = error
                    step = plan.unavailable(now: Clock.now)
                case .error(let error): throw error
                }
            case .askFate(let worker):
                step = plan.learned(fate(of: worker), worker: worker, now: Clock.now)
            case .crashed(let worker, let signal):
                keep(object, worker: worker)
                return .crash(signal: signal)
            case .giveUp:
                throw last
            }
        }
    }

    private func attempt(_ order: ScanOrder, _ object: ScanObject, isAlone: Bool) -> ScanOutcome {
        let worker: WorkerConnection
        do throws(ScanClientError) {
            worker = try workerConnection(isAlone: isAlone)
        } catch {
            return ScanOutcome(connecting: error)
        }
        do throws(PacketChannel.Failure) {
            return ScanOutcome(
                try worker.scan(order, object.descriptor, resolver, deadline: Clock.now + Self.verdictTime))
        } catch {
            if !isAlone { shared = nil }
            switch error {
            case .link(.ended): return .lost(worker: worker.id)
            default: return .error(error.clientError(path))
            }
        }
    }

    /// The connection of all ordinary scans, or a new one to an isolated process.
    private func workerConnection(isAlone: Bool) throws(ScanClientError) -> WorkerConnection {
        if !isAlone, let shared { return shared }
        let answer = try ask(isAlone ? .connectAlone : .connect)
        let id = try answer.reply.worker(path)
        guard let socket = answer.descriptor else {
            throw ScanClientError(.conversation, "\(path): a connection came without its descriptor")
        }
        let worker = WorkerConnection(id: id, socket: socket)
        if !isAlone { shared = worker }
        return worker
    }

    private func fate(of worker: UInt64) -> WorkerFate {
        guard let answer = try? ask(.fate(worker: worker)), case .fate(let fate) = answer.reply else { return .unknown }
        return fate
    }

    /// Offers the object for reproduction. That this fails changes nothing for the message.
    private func keep(_ object: ScanObject, worker: UInt64) {
        _ = try? ask(.keep(worker: worker, name: object.name), descriptor: object.descriptor)
    }

    /// One question to the manager; when the connection was lost (it was restarted), once more on a new one.
    func ask(
        _ request: ControlRequest, descriptor: Descriptor? = nil, time: Duration = .seconds(30)
    ) throws(ScanClientError) -> (reply: ControlReply, descriptor: Descriptor?) {
        let deadline = Clock.now + UInt64(time / .nanoseconds(1))
        if let manager {
            do throws(ScanClientError) {
                return try manager.ask(request, descriptor: descriptor, deadline: deadline)
            } catch {
                // An answer that comes late would be taken for the next one's.
                self.manager = nil
                guard error.code == .unavailable, Clock.now < deadline else { throw error }
            }
        }
        let fresh = try ManagerConnection(path: path, agent: agent, deadline: deadline)
        let answer = try fresh.ask(request, descriptor: descriptor, deadline: deadline)
        manager = fresh
        return answer
    }
}
