import EventLoop

/// Lets a number of tasks of one reactor in at a time; the others wait in the order in which they came.
///
/// `@unchecked Sendable`: confined to the reactor's thread.
final class Gate: @unchecked Sendable {
    private let reactor: Reactor
    private var waiting: [Completion<Void>] = []
    private var head = 0
    /// Places that are taken.
    private(set) var inside = 0
    var limit: Int

    init(_ reactor: Reactor, limit: Int) {
        self.reactor = reactor
        self.limit = max(1, limit)
    }

    /// Tasks that wait.
    var queued: Int { waiting.count - head }
    var isFull: Bool { inside >= limit }

    /// Waits for a place.
    ///
    /// - Throws: `.timedOut`, `.cancelled`, and `.stopping` when interruptible: there is no place to leave then.
    func enter(deadline: Deadline, interruptible: Bool = false) async throws(StreamError) {
        guard isFull || queued > 0 else {
            inside += 1
            return
        }
        let turn = Completion<Void>(reactor)
        waiting.append(turn)
        do throws(StreamError) {
            try await turn.value(deadline: deadline, interruptible: interruptible)
        } catch {
            if let place = waiting[head...].firstIndex(where: { $0 === turn }) {
                waiting.remove(at: place)
            } else {
                // The turn came at the same moment: somebody else has it.
                leave()
            }
            throw error
        }
    }

    /// Gives a place back.
    func leave() {
        inside -= 1
        while !isFull, head < waiting.count {
            let next = waiting[head]
            head += 1
            inside += 1
            next.fulfil(())
        }
        if head == waiting.count {
            waiting.removeAll(keepingCapacity: true)
            head = 0
        } else if head > 256 {
            waiting.removeFirst(head)
            head = 0
        }
    }
}
