import Glibc

/// What waits for the scanning threads. Our own agents come first; users of the machine take turns, and never get all
/// threads, so that no user can keep mail, or another user, from being scanned.
final class JobQueue<Element: Sendable>: @unchecked Sendable {
    // @unchecked: everything below is guarded by `mutex`.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var own = Line()
    private var foreign: [UInt32: Line] = [:]
    /// Users with something that waits, whose turn is next first.
    private var turns: [UInt32] = []
    private var foreignRunning = 0
    private var ownInARow = 0
    private var isClosed = false
    private let foreignThreads: Int

    /// After so many of our own a user's turn comes, so that they are slow, but not forgotten.
    private static var ownAtMost: Int { 16 }

    private struct Line {
        private var elements: [Element?] = []
        private var head = 0

        var count: Int { elements.count - head }

        mutating func put(_ element: Element) { elements.append(element) }

        mutating func take() -> Element? {
            guard head < elements.count else { return nil }
            let element = elements[head]
            elements[head] = nil
            head += 1
            if head == elements.count {
                elements.removeAll(keepingCapacity: true)
                head = 0
            } else if head > 1_024 && head > elements.count / 2 {
                elements.removeSubrange(..<head)
                head = 0
            }
            return element
        }
    }

    /// An element and for whom it is; `done` wants it back.
    struct Taken: Sendable {
        let element: Element
        /// nil = one of our own agents.
        let user: UInt32?
    }

    /// - Parameter foreignThreads: threads that may work for users at the same time.
    init(foreignThreads: Int) {
        self.foreignThreads = foreignThreads
        mutex.initialize(to: pthread_mutex_t())
        changed.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    private func locked<T>(_ body: () -> T) -> T {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    /// How many wait, of our own agents (nil) or of one user.
    func count(of user: UInt32?) -> Int {
        locked { user.map { foreign[$0]?.count ?? 0 } ?? own.count }
    }

    func put(_ element: Element, for user: UInt32?) {
        locked {
            if let user {
                if foreign[user] == nil { turns.append(user) }
                foreign[user, default: Line()].put(element)
            } else {
                own.put(element)
            }
            pthread_cond_signal(changed)
        }
    }

    /// The next element, waiting for one; nil when the queue was closed and is empty.
    func take() -> Taken? {
        locked {
            while true {
                if let taken = pick() { return taken }
                if isClosed && own.count == 0 && turns.isEmpty { return nil }
                pthread_cond_wait(changed, mutex)
            }
        }
    }

    /// A thread has done with what it took.
    func done(_ taken: Taken) {
        guard taken.user != nil else { return }
        locked {
            foreignRunning -= 1
            // Another user's may go on.
            if !turns.isEmpty || isClosed { pthread_cond_broadcast(changed) }
        }
    }

    private func pick() -> Taken? {
        let mayServeUser = !turns.isEmpty && foreignRunning < foreignThreads
        if !(mayServeUser && ownInARow >= Self.ownAtMost), let element = own.take() {
            if mayServeUser { ownInARow += 1 }
            return Taken(element: element, user: nil)
        }
        guard mayServeUser else { return nil }
        ownInARow = 0
        let user = turns.removeFirst()
        guard let element = foreign[user]?.take() else { return nil }
        if foreign[user]?.count == 0 { foreign[user] = nil } else { turns.append(user) }
        foreignRunning += 1
        return Taken(element: element, user: user)
    }

    /// No more elements come: waiting threads end when the rest is taken.
    func close() {
        locked {
            isClosed = true
            pthread_cond_broadcast(changed)
        }
    }
}
