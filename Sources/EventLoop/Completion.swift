import CLinux
import Glibc

/// A value that one task of the reactor awaits and anybody provides once.
package final class Completion<Value: Sendable>: @unchecked Sendable {
    // @unchecked: confined to the reactor's thread; `fulfil` goes there first when called elsewhere.
    private let reactor: Reactor
    private let waiter: Waiter
    private var result: Value?

    package init(_ reactor: Reactor) {
        self.reactor = reactor
        waiter = Waiter(reactor)
    }

    /// Provides the value, from any thread; a second value is ignored.
    package func fulfil(_ value: Value) {
        guard reactor.isOnLoop else {
            reactor.submit { self.fulfil(value) }
            return
        }
        guard result == nil else { return }
        result = value
        waiter.wake(.ready)
    }

    /// Waits for the value; one task at a time. Throws `.timedOut`, `.cancelled`, and `.stopping` when interruptible.
    package func value(deadline: Deadline, interruptible: Bool = false) async throws(StreamError) -> Value {
        // The entry of a wait that is over would stay until its deadline: too long for one of very many.
        defer { reactor.timers.remove(waiter) }
        while true {
            if let result { return result }
            try await waiter.wait(until: deadline, interruptible: interruptible).check()
        }
    }
}

extension Reactor {
    /// Runs something that blocks on a helper thread and awaits its result.
    ///
    /// When the deadline passes first, the work goes on without anybody waiting for its result.
    package func offload<Value: Sendable>(
        deadline: Deadline = .never, _ work: @escaping @Sendable () -> Value
    ) async throws(StreamError) -> Value {
        let completion = Completion<Value>(self)
        helpers.run { completion.fulfil(work()) }
        return try await completion.value(deadline: deadline)
    }

    /// Waits until a foreign descriptor (not that of a `Stream`) has something to read or is at its end.
    ///
    /// The descriptor stays with the caller and must stay open meanwhile; one task at a time for each.
    package func readable(
        _ descriptor: Int32, deadline: Deadline, interruptible: Bool = false
    ) async throws(StreamError) {
        try await ready(descriptor, CLinux_EVENT_IN | CLinux_EVENT_PEER_CLOSED, deadline, interruptible)
    }

    /// Watches a foreign descriptor for as long as the returned object lives: cheaper than `readable` where one waits
    /// again and again. The descriptor must stay open until `close`.
    package func watchInput(_ descriptor: Int32) throws(StreamError) -> InputWatch {
        try InputWatch(self, descriptor)
    }

    /// Waits until a foreign descriptor takes bytes. The rules of `readable` hold.
    package func writable(_ descriptor: Int32, deadline: Deadline) async throws(StreamError) {
        try await ready(descriptor, CLinux_EVENT_OUT, deadline, false)
    }

    private func ready(
        _ descriptor: Int32, _ events: UInt32, _ deadline: Deadline, _ interruptible: Bool
    ) async throws(StreamError) {
        let watch = Watch(self, descriptor: descriptor)
        // Registering reports what is there already: nothing is lost between the caller's read and this.
        do throws(StreamError) { try register(watch, events: events) } catch {
            if case .system(EPERM, _) = error { return }  // a regular file is always ready
            throw error
        }
        defer { watch.retire() }
        let waiter = events & CLinux_EVENT_OUT != 0 ? watch.writing : watch.reading
        try await waiter.wait(until: deadline, interruptible: interruptible).check()
    }
}
