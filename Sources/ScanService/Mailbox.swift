import CLinux
import Platform
import Synchronization

/// What other threads leave for the I/O thread, with a descriptor that becomes readable.
final class Mailbox<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])
    let event: Descriptor

    init() throws(SystemError) {
        event = Descriptor(owning: try checked("eventfd") { CLinux_event_descriptor() })
    }

    func put(_ element: Element) {
        let wasEmpty = elements.withLock { list in
            list.append(element)
            return list.count == 1
        }
        if wasEmpty { CLinux_event_raise(event.raw) }
    }

    /// Everything that was left.
    func takeAll() -> [Element] {
        CLinux_event_clear(event.raw)
        return elements.withLock { list in
            defer { list.removeAll(keepingCapacity: true) }
            return list
        }
    }
}
