import Glibc

/// Signals as events of one thread: nothing is interrupted, nothing runs in a handler.
package enum Signals {
    package enum Event: Sendable {
        case reload, end
        /// Time has passed.
        case tick
    }

    private static var watched: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in [SIGHUP, SIGTERM, SIGINT] { sigaddset(&set, signal) }
        return set
    }

    /// Holds them back in the calling thread and those that it starts.
    package static func block() {
        var set = watched
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    private final class Handler: Sendable {
        let seconds: Int
        let body: @Sendable (Event) -> Void

        init(_ seconds: Int, _ body: @escaping @Sendable (Event) -> Void) {
            self.seconds = seconds
            self.body = body
        }

        func loop() -> Never {
            var set = Signals.watched
            var time = timespec(tv_sec: seconds, tv_nsec: 0)
            while true {
                switch sigtimedwait(&set, nil, &time) {
                case SIGHUP: body(.reload)
                case SIGTERM, SIGINT: body(.end)
                case -1 where errno == EAGAIN: body(.tick)
                default: continue
                }
            }
        }
    }

    /// Starts the thread; it lives as long as the process.
    package static func watch(every seconds: Int, _ body: @escaping @Sendable (Event) -> Void) {
        var thread = pthread_t()
        let handler = Unmanaged.passRetained(Handler(seconds, body)).toOpaque()
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<Handler>.fromOpaque(context).takeUnretainedValue().loop()
            }, handler)
        precondition(code == 0, "no thread for signals")
    }
}
