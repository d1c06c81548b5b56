import Glibc
import Platform

/// The manager's loop: descriptors and moments, each with what to do. One thread; nothing in it may wait.
final class PollLoop {
    /// Names a watch or a timer.
    struct Token: Hashable {
        fileprivate let number: UInt64
    }

    private struct Watch {
        let descriptor: Descriptor
        let events: () -> Int32
        let handle: (Int32) -> Void
    }

    private struct Timer {
        let due: UInt64
        let handle: () -> Void
    }

    private var watches: [Token: Watch] = [:]
    private var timers: [Token: Timer] = [:]
    private var last: UInt64 = 0

    private func token() -> Token {
        last += 1
        return Token(number: last)
    }

    /// Calls `handle` with what poll reports, as long as it is not removed.
    ///
    /// - Parameter events: what is waited for, asked before each wait; POLLHUP and POLLERR always come.
    func watch(
        _ descriptor: Descriptor, events: @escaping () -> Int32 = { POLLIN }, _ handle: @escaping (Int32) -> Void
    ) -> Token {
        let token = token()
        watches[token] = Watch(descriptor: descriptor, events: events, handle: handle)
        return token
    }

    /// Calls `handle` once, after so many nanoseconds.
    @discardableResult
    func after(_ nanoseconds: UInt64, _ handle: @escaping () -> Void) -> Token {
        let token = token()
        timers[token] = Timer(due: Clock.now &+ nanoseconds, handle: handle)
        return token
    }

    /// Removes a watch or a timer; one that is gone already is no error.
    func remove(_ token: Token?) {
        guard let token else { return }
        watches[token] = nil
        timers[token] = nil
    }

    /// Runs until the condition holds after a turn.
    func run(until isOver: () -> Bool) throws(SystemError) {
        while !isOver() { try turn() }
    }

    private func turn() throws(SystemError) {
        let tokens = watches.keys.sorted { $0.number < $1.number }
        var entries = tokens.map { token in
            pollfd(
                fd: watches[token]?.descriptor.raw ?? -1, events: Int16(watches[token]?.events() ?? 0), revents: 0)
        }
        if poll(&entries, nfds_t(entries.count), timeout) < 0 {
            switch errno {
            case EINTR: break
            // No memory just now: the service goes on when there is some again.
            case ENOMEM, EAGAIN: usleep(10_000)
            default: throw SystemError("poll")
            }
        }
        for (token, entry) in zip(tokens, entries) where entry.revents != 0 {
            // An earlier handler of this turn may have removed it.
            watches[token]?.handle(Int32(entry.revents))
        }
        let now = Clock.now
        for token in timers.keys.sorted(by: { $0.number < $1.number }) {
            guard let timer = timers[token], timer.due <= now else { continue }
            timers[token] = nil
            timer.handle()
        }
    }

    /// Milliseconds until the next timer, rounded up; -1 = none.
    private var timeout: Int32 {
        guard let due = timers.values.map(\.due).min() else { return -1 }
        let now = Clock.now
        return due <= now ? 0 : Int32(clamping: (due - now + 999_999) / 1_000_000)
    }
}
