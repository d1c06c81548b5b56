import CLinux

/// A reactor that runs on a thread of its own: for a process with several reactors, or beside other work.
package final class ReactorThread: Sendable {
    package let reactor: Reactor
    private let thread: UInt64

    /// Starts the thread; all signals are blocked in it.
    ///
    /// - Parameter name: what `ps` shows, at most 15 bytes.
    /// - Throws: `.system` when there is no thread or descriptor to be had.
    package convenience init(_ name: String) throws(StreamError) {
        try self.init(name, running: try Reactor())
    }

    private init(_ name: String, running reactor: Reactor) throws(StreamError) {
        self.reactor = reactor
        let context = Unmanaged.passRetained(reactor)
        var thread: UInt64 = 0
        let result = CLinux_start_thread(
            name,
            { context in
                guard let context else { return }
                let reactor = Unmanaged<Reactor>.fromOpaque(context).takeRetainedValue()
                reactor.run()
            }, context.toOpaque(), 1, &thread)
        self.thread = thread
        guard result == 0 else {
            context.release()
            throw StreamError(failure: Int(result), call: "pthread_create")
        }
    }

    /// Waits, blocking, until the thread has ended; call it once, after `reactor.stop`.
    package func join() {
        CLinux_join_thread(thread)
    }

    /// Runs each of the reactors on a thread, and returns when all have been stopped and have ended.
    ///
    /// - Throws: `.system` when there is no thread to be had; then the others are stopped at once.
    package static func run(_ reactors: [Reactor], _ name: String) throws(StreamError) {
        var threads: [ReactorThread] = []
        var failure: StreamError?
        do throws(StreamError) {
            for reactor in reactors { threads.append(try ReactorThread(name, running: reactor)) }
        } catch {
            failure = error
            for reactor in reactors { reactor.stop(deadline: .after(.zero)) }
        }
        for thread in threads { thread.join() }
        if let failure { throw failure }
    }
}
