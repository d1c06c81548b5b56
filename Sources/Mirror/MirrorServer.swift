package import AgentKit
import CLinux
import Glibc
package import Platform
import Synchronization

/// The mirror of one agent process: listening sockets, the server in force, and those that finish their last answers.
package final class MirrorServer: Sendable {
    package let statistics = Statistics()
    private let events: MirrorEvents
    private let clients = ClientTable()
    private let listening: [Descriptor]
    private let wakeUp: Descriptor
    /// Raised when nobody is accepted any more.
    private let end: Descriptor
    private let state: Mutex<State>

    /// One that takes no more connections.
    private struct Retired {
        let front: Front
        /// Its connections are cut after this moment.
        var end: UInt64
    }

    private struct State {
        var current: Front?
        var retired: [Retired] = []
        var root: DocumentRoot
        var log: AccessLog?
        var isEnding = false
    }

    /// Starts to serve.
    ///
    /// - Parameter listening: the listening sockets, inherited or from `bind`.
    /// - Throws: when a thread, the access log or the certificate is missing.
    package init(
        _ settings: MirrorSettings, listening: [Descriptor], events: MirrorEvents
    ) throws(AgentError) {
        self.listening = listening
        self.events = events
        do throws(SystemError) {
            wakeUp = Descriptor(owning: try checked("eventfd") { CLinux_event_descriptor() })
            end = Descriptor(owning: try checked("eventfd") { CLinux_event_descriptor() })
        } catch {
            throw AgentError("\(error)")
        }
        state = Mutex(State(root: DocumentRoot(path: settings.directory)))
        try reload(settings)
        do throws(SystemError) {
            for socket in listening {
                _ = try checked("fcntl") { fcntl(socket.raw, F_SETFL, fcntl(socket.raw, F_GETFL) | O_NONBLOCK) }
            }
            try NativeThread { [self] in accept() }.detach()
        } catch {
            state.withLock { if let front = $0.current { front.stop() } }
            throw AgentError("\(error)")
        }
    }

    /// Serves as other settings want it; answers under way are finished as they were begun.
    ///
    /// - Throws: when that cannot be; everything stays as it was.
    package func reload(_ settings: MirrorSettings) throws(AgentError) {
        var failure: AgentError?
        state.withLock { state in
            do throws(AgentError) { try reload(settings, &state) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private func reload(_ settings: MirrorSettings, _ state: inout State) throws(AgentError) {
        guard !state.isEnding else { return }
        // Opened anew each time: the old file may have been moved away.
        var log: AccessLog?
        if !settings.accessLog.isEmpty {
            do throws(SystemError) { log = try AccessLog(path: settings.accessLog) } catch {
                throw AgentError("mird_access_log: \(error); the agent writes it as run_as_user")
            }
        }
        let root = settings.directory == state.root.path ? state.root : DocumentRoot(path: settings.directory)
        let front = try Front(
            settings, root, statistics, clients, log, StatusReports(root, statistics), events)
        try front.start()
        if let old = state.current { retire(old, &state, grace: .max) }
        _ = state.log?.flush()
        (state.root, state.log) = (root, log)
        state.current = front
    }

    private func retire(_ front: Front, _ state: inout State, grace: UInt64) {
        let (end, overflow) = Clock.now.addingReportingOverflow(grace)
        state.retired.append(Retired(front: front, end: overflow ? .max : end))
    }

    /// Gives connections to the front in force, until there is none any more.
    private func accept() {
        /// How long those who connect wait at most when something was short, or a connection ended.
        let pause: Int32 = 50
        let sockets = (listening + [end]).map { pollfd(fd: $0.raw, events: Int16(POLLIN), revents: 0) }
        while true {
            var entries = sockets
            _ = poll(&entries, nfds_t(entries.count), -1)
            var mayAccept = true
            for (socket, entry) in zip(listening, entries) where entry.revents != 0 && mayAccept {
                let outcome = state.withLock { $0.current?.accept(from: socket, atMost: Self.burst) }
                mayAccept = outcome == .all || outcome == .many
            }
            if state.withLock({ $0.current == nil }) { return }
            if !mayAccept { poll(nil, 0, pause) }
        }
    }

    /// Connections that are taken before somebody else gets the lock.
    private static let burst = 64

    /// Does what is due each second, until `stop`; returns when the last connection has ended.
    package func run() {
        while true {
            var entry = pollfd(fd: wakeUp.raw, events: Int16(POLLIN), revents: 0)
            if poll(&entry, 1, 1_000) > 0 { CLinux_event_clear(wakeUp.raw) }
            if turn() { return }
        }
    }

    /// True when everything has ended.
    private func turn() -> Bool {
        let (over, lost, isEnd) = state.withLock { state in
            state.current?.sweep(isRetired: false)
            for retired in state.retired { retired.front.sweep(isRetired: true) }
            let now = Clock.now
            let over = state.retired.filter { $0.front.count == 0 || $0.end <= now }.map(\.front)
            state.retired.removeAll { retired in over.contains { $0 === retired.front } }
            return (over, state.log?.flush() ?? 0, state.isEnding && state.retired.isEmpty)
        }
        // Outside of the lock: waits for the threads to end.
        for front in over { front.stop() }
        clients.expire()
        if lost > 0 { events.warning("\(lost) lines of the access log were lost: they cannot be written") }
        if isEnd { state.withLock { _ = $0.log?.flush() } }
        return isEnd
    }

    /// Ends: takes no more connections, closes idle ones, and cuts off what is still there after the grace. From any
    /// thread.
    package func stop(grace: Duration) {
        let nanoseconds = UInt64(max(0, grace.components.seconds)) &* 1_000_000_000
        state.withLock { state in
            guard !state.isEnding else { return }
            state.isEnding = true
            if let current = state.current { retire(current, &state, grace: nanoseconds) }
            state.current = nil
            let end = Clock.now &+ nanoseconds
            for index in state.retired.indices { state.retired[index].end = min(state.retired[index].end, end) }
        }
        CLinux_event_raise(end.raw)
        CLinux_event_raise(wakeUp.raw)
    }

    /// Open connections.
    package var connections: Int {
        state.withLock { state in
            state.retired.reduce(state.current?.count ?? 0) { $0 + $1.front.count }
        }
    }

    /// Opens the listening sockets of the settings, for an agent that nobody passed any.
    package static func bind(_ settings: MirrorSettings) throws(AgentError) -> [Descriptor] {
        settings.listenHost.isEmpty
            ? try ListeningSockets.openEverywhere(port: settings.listenPort)
            : try ListeningSockets.open(host: settings.listenHost, port: settings.listenPort)
    }
}
