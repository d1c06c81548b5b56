import Glibc

/// A thread of the process's own, never one of Swift's cooperative pool: scanning blocks.
package struct NativeThread {
    private let thread: pthread_t

    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Starts it.
    package init(_ run: @escaping @Sendable () -> Void) throws(SystemError) {
        var thread = pthread_t()
        let body = Unmanaged.passRetained(Body(run))
        let code = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, body.toOpaque())
        guard code == 0 else {
            body.release()
            throw SystemError("pthread_create", code: code)
        }
        self.thread = thread
    }

    /// Nobody waits for its end; then `join` must not be called.
    package func detach() { pthread_detach(thread) }

    /// Waits for its end.
    package func join() { pthread_join(thread, nil) }
}
