import Synchronization

/// The sessions under way, so that an agent that ends can cut off those whose message the next hop does not have.
///
/// A message whose end was sent, and whose reply has not come, may have been taken: a client that is cut off then would
/// send it again.
final class SessionRoll: Sendable {
    private struct Entry {
        var task: Task<Void, Never>?
        var isUnanswered = false
        var isCutOff = false
    }

    private let entries = Mutex<[UInt32: Entry]>([:])

    func enter(_ session: UInt32) { entries.withLock { $0[session] = Entry() } }

    func leave(_ session: UInt32) { entries.withLock { $0[session] = nil } }

    /// The task that serves a session. It may have ended already.
    func note(_ task: Task<Void, Never>, of session: UInt32) {
        let isCutOff = entries.withLock { entries in
            entries[session]?.task = task
            return entries[session]?.isCutOff == true
        }
        if isCutOff { task.cancel() }
    }

    /// A session is about to end a message towards the next hop; false when it was cut off, and must not.
    func mayEndMessage(_ session: UInt32) -> Bool {
        entries.withLock { entries in
            guard entries[session]?.isCutOff != true else { return false }
            entries[session]?.isUnanswered = true
            return true
        }
    }

    /// The next hop has answered, or is gone.
    func answered(_ session: UInt32) { entries.withLock { $0[session]?.isUnanswered = false } }

    /// Cancels all sessions but those that wait for such an answer.
    func cutOff() {
        let tasks = entries.withLock { entries in
            var tasks: [Task<Void, Never>] = []
            for (session, entry) in entries where !entry.isUnanswered {
                entries[session]?.isCutOff = true
                if let task = entry.task { tasks.append(task) }
            }
            return tasks
        }
        for task in tasks { task.cancel() }
    }
}
