import Testing

@testable import ScanService

@Suite("Job queue") struct JobQueueTests {
    private func taken(_ queue: inout JobQueue<Int>, _ count: Int, isDone: Bool = true) -> [Int] {
        (0..<count).compactMap { _ in
            guard let taken = queue.take() else { return nil }
            if isDone { queue.done(taken) }
            return taken.element
        }
    }

    @Test("our own come first, and users take turns")
    func order() {
        var queue = JobQueue<Int>(threads: 2, foreignThreads: 1)
        for number in 1...3 { queue.put(number, for: 1_000) }
        for number in 11...12 { queue.put(number, for: 1_001) }
        for number in 21...22 { queue.put(number, for: nil) }
        #expect(queue.count(of: nil) == 2 && queue.count(of: 1_000) == 3 && queue.count(of: 7) == 0)
        #expect(taken(&queue, 7) == [21, 22, 1, 11, 2, 12, 3])
    }

    @Test("users never get all threads")
    func threads() {
        var queue = JobQueue<Int>(threads: 3, foreignThreads: 2)
        for number in 1...3 { queue.put(number, for: 1_000) }
        #expect(taken(&queue, 2, isDone: false) == [1, 2])
        queue.put(21, for: nil)
        #expect(taken(&queue, 1) == [21])
        queue.done(.init(element: 1, user: 1_000))
        #expect(taken(&queue, 1) == [3])
    }

    @Test("users are not forgotten while there is always something of our own")
    func share() {
        var queue = JobQueue<Int>(threads: 2, foreignThreads: 1)
        for number in 0..<40 { queue.put(number, for: nil) }
        queue.put(1_000, for: 1_000)
        #expect(taken(&queue, 20).contains(1_000))
    }

    @Test("no more are worked on than there are threads")
    func bound() {
        var queue = JobQueue<Int>(threads: 2, foreignThreads: 1)
        for number in 1...3 { queue.put(number, for: nil) }
        #expect(taken(&queue, 3, isDone: false) == [1, 2])
        #expect(!queue.hasWork)
        queue.done(.init(element: 1, user: nil))
        #expect(queue.hasWork)
        #expect(taken(&queue, 1) == [3])
        #expect(!queue.hasWork)
    }

    @Test("what no thread may work on is no work")
    func work() {
        var queue = JobQueue<Int>(threads: 2, foreignThreads: 1)
        for number in 1...2 { queue.put(number, for: 1_000) }
        #expect(queue.hasWork)
        #expect(taken(&queue, 2, isDone: false) == [1])
        #expect(!queue.hasWork)
        queue.put(21, for: nil)
        #expect(queue.hasWork)
    }
}
