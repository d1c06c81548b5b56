import EventLoop
import Testing

/// Runs a test's body on a reactor of its own, and stops that afterwards.
func onReactor<T: Sendable>(_ body: @escaping @Sendable (Reactor) async throws -> T) async throws -> T {
    let thread = try ReactorThread("test")
    let reactor = thread.reactor
    let result = await Task(executorPreference: reactor) { try await body(reactor) }.result
    reactor.stop(deadline: .now)
    thread.join()
    return try result.get()
}

/// The error that the body must throw.
func error(_ body: () async throws(StreamError) -> Void) async -> StreamError? {
    do throws(StreamError) {
        try await body()
        return nil
    } catch {
        return error
    }
}

/// A listener on a loopback port of the kernel's choice.
func loopback(_ reactor: Reactor) throws -> Listener {
    let address = try #require(SocketAddress(numeric: "127.0.0.1", port: 0))
    return try Listener(reactor, Listener.open(address))
}

/// Long enough for any machine; no test waits for it to pass.
var patience: Deadline { .seconds(60) }
