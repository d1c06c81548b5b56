import CLinux
import Glibc
import Platform

/// Sockets that any of several threads waits for: each event wakes one of them, and then its socket is silent until it is
/// armed again.
///
/// `Sendable`: the kernel's object is safe to use from all threads.
final class ReadySet: Sendable {
    /// What a socket reported.
    struct Event {
        let key: UInt64
        private let bits: UInt32

        init(key: UInt64, bits: UInt32) {
            self.key = key
            self.bits = bits
        }

        var isReadable: Bool { bits & CLinux_EVENT_IN != 0 }
        /// The other side is gone.
        var isEnd: Bool { bits & (CLinux_EVENT_HANGUP | CLinux_EVENT_ERROR) != 0 }
    }

    /// What is waited for; the end of the other side always is.
    struct Interest: Equatable {
        var input: Bool
        var output: Bool

        fileprivate var bits: UInt32 {
            (input ? CLinux_EVENT_IN : 0) | (output ? CLinux_EVENT_OUT : 0) | CLinux_EVENT_ONE_SHOT
        }
    }

    private let epoll: Descriptor
    /// Wakes one thread.
    private let one: Descriptor
    /// Wakes all threads, for good.
    private let all: Descriptor

    /// The key of what only wakes.
    static var wakeKey: UInt64 { .max }

    init() throws(SystemError) {
        epoll = Descriptor(owning: try ReadySet.checked("epoll_create", CLinux_epoll_create()))
        one = Descriptor(owning: try ReadySet.checked("eventfd", CLinux_eventfd()))
        all = Descriptor(owning: try ReadySet.checked("eventfd", CLinux_eventfd()))
        for (event, bits) in [(one, CLinux_EVENT_IN | CLinux_EVENT_EDGE), (all, CLinux_EVENT_IN)] {
            _ = try ReadySet.checked("epoll_ctl", CLinux_epoll_add(epoll.raw, event.raw, bits, ReadySet.wakeKey))
        }
    }

    private static func checked(_ call: String, _ result: Int32) throws(SystemError) -> Int32 {
        guard result >= 0 else { throw SystemError(call, code: -result) }
        return result
    }

    func add(_ socket: Descriptor, key: UInt64, _ interest: Interest) throws(SystemError) {
        _ = try ReadySet.checked("epoll_ctl", CLinux_epoll_add(epoll.raw, socket.raw, interest.bits, key))
    }

    /// Waits for the socket again.
    func arm(_ socket: Descriptor, key: UInt64, _ interest: Interest) {
        // It cannot fail: the socket is in the set, and nothing is allocated.
        _ = CLinux_epoll_modify(epoll.raw, socket.raw, interest.bits, key)
    }

    func remove(_ socket: Descriptor) { _ = CLinux_epoll_remove(epoll.raw, socket.raw) }

    /// Waits for an event; nil when a signal came or there is no memory just now.
    func wait() -> Event? {
        var event = CLinux_event()
        guard CLinux_epoll_wait(epoll.raw, &event, 1, -1) == 1 else { return nil }
        return Event(key: event.key, bits: event.events)
    }

    /// Wakes one thread that waits, or the next one that does.
    func wakeOne() { CLinux_eventfd_signal(one.raw) }

    /// Wakes all threads, now and ever after.
    func wakeAll() { CLinux_eventfd_signal(all.raw) }

    /// Waits until `wakeAll`, or for so many milliseconds.
    func waitForAll(milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: all.raw, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, milliseconds) > 0
    }
}
