/// What waits for a thread that may scan. Our own agents come first; users of the machine take turns, and never get all
/// threads, so that no user can keep mail, or another user, from being scanned. One thread at a time.
struct JobQueue<Element> {
    private var own = Line()
    private var foreign: [UInt32: Line] = [:]
    /// Users with something that waits, whose turn is next first.
    private var turns: [UInt32] = []
    private var running = 0
    private var foreignRunning = 0
    private var ownInARow = 0
    private let threads: Int
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
    struct Taken {
        let element: Element
        /// nil = one of our own agents.
        let user: UInt32?
    }

    /// - Parameters:
    ///   - threads: that may work at the same time.
    ///   - foreignThreads: of these, so many for users.
    init(threads: Int, foreignThreads: Int) {
        self.threads = threads
        self.foreignThreads = foreignThreads
    }

    /// How many wait, of our own agents (nil) or of one user.
    func count(of user: UInt32?) -> Int { user.map { foreign[$0]?.count ?? 0 } ?? own.count }

    /// Whether `take` has one.
    var hasWork: Bool { running < threads && (own.count > 0 || mayServeUser) }

    private var mayServeUser: Bool { !turns.isEmpty && foreignRunning < foreignThreads }

    mutating func put(_ element: Element, for user: UInt32?) {
        if let user {
            if foreign[user] == nil { turns.append(user) }
            foreign[user, default: Line()].put(element)
        } else {
            own.put(element)
        }
    }

    /// The next element; nil when none may be worked on now.
    mutating func take() -> Taken? {
        guard running < threads else { return nil }
        let mayServeUser = mayServeUser
        if !(mayServeUser && ownInARow >= Self.ownAtMost), let element = own.take() {
            if mayServeUser { ownInARow += 1 }
            running += 1
            return Taken(element: element, user: nil)
        }
        guard mayServeUser else { return nil }
        ownInARow = 0
        let user = turns.removeFirst()
        guard let element = foreign[user]?.take() else { return nil }
        if foreign[user]?.count == 0 { foreign[user] = nil } else { turns.append(user) }
        running += 1
        foreignRunning += 1
        return Taken(element: element, user: user)
    }

    /// A thread has done with what it took.
    mutating func done(_ taken: Taken) {
        running -= 1
        if taken.user != nil { foreignRunning -= 1 }
    }
}
