import Glibc
import Platform
import ScanClient
import ScanProtocol
import Synchronization

/// Several threads, each with a connection of its own, that scan files. Results are asked for by ticket, so that
/// they can be told in the order of the files.
final class ScanPool: Sendable {
    enum Outcome: Sendable {
        case scanned(ScanObject, ScanVerdict)
        /// This file cannot be opened or read.
        case failed(String)
        /// Nothing can be scanned.
        case unavailable(ScanClientError)
    }

    /// What every file is scanned with.
    struct Task: Sendable {
        let options: ScanOptions
        /// Whether files keep their time of last access.
        let restoresTime: Bool
    }

    private struct State {
        var waiting: [(ticket: Int, path: String)] = []
        var done: [Int: Outcome] = [:]
        var isClosed = false
        var tickets = 0
    }

    private let state = Mutex(State())
    private let jobs = Semaphore()
    private let results = Semaphore()
    private let threads: Mutex<[NativeThread]> = Mutex([])

    /// - Throws: when not even one thread can be made.
    init(threads count: Int, _ task: Task, _ makeScanner: @escaping @Sendable () -> any ObjectScanner)
        throws(SystemError)
    {
        var started: [NativeThread] = []
        do throws(SystemError) {
            for _ in 0..<max(1, count) {
                started.append(try NativeThread { [self] in run(makeScanner(), task) })
            }
        } catch {
            // Fewer threads do it too.
            if started.isEmpty { throw error }
        }
        threads.withLock { $0 = started }
    }

    /// Gives a file to the threads.
    func submit(_ path: String) -> Int {
        let ticket = state.withLock { state in
            state.tickets += 1
            state.waiting.append((state.tickets, path))
            return state.tickets
        }
        jobs.signal()
        return ticket
    }

    /// Waits for a result; each can be taken once.
    func result(_ ticket: Int) -> Outcome {
        while true {
            if let outcome = state.withLock({ $0.done.removeValue(forKey: ticket) }) { return outcome }
            results.wait()
        }
    }

    /// Ends the threads; what is waiting is not scanned any more.
    func close() {
        state.withLock { state in
            state.isClosed = true
            state.waiting = []
        }
        let threads = threads.withLock { list in
            defer { list = [] }
            return list
        }
        for _ in threads { jobs.signal() }
        for thread in threads { thread.join() }
    }

    private func run(_ scanner: any ObjectScanner, _ task: Task) {
        while true {
            jobs.wait()
            let job: (ticket: Int, path: String)? = state.withLock { state in
                state.waiting.isEmpty ? nil : state.waiting.removeFirst()
            }
            guard let job else {
                if state.withLock({ $0.isClosed }) { return }
                continue
            }
            let outcome = Self.scan(job.path, scanner, task)
            state.withLock { $0.done[job.ticket] = outcome }
            results.signal()
        }
    }

    private static func scan(_ path: String, _ scanner: any ObjectScanner, _ task: Task) -> Outcome {
        let object: ScanObject
        let before: stat
        do throws(SystemError) {
            object = try ScanObject(path: path)
            before = try object.descriptor.status()
        } catch {
            return .failed("error opening (\(error.reason))")
        }
        defer { if task.restoresTime { restoreTime(object, before) } }
        do throws(ScanClientError) {
            let envelope = ScanEnvelope(agent: "scan")
            return .scanned(object, try scanner.scan(object, options: task.options, envelope: envelope))
        } catch  where error.code == .unreadable {
            return .failed("error reading (\(error.message))")
        } catch {
            return .unavailable(error)
        }
    }

    /// UTIME_OMIT of utimensat(2): leave this time as it is.
    private static let omit = (1 << 30) - 2

    /// Works for the owner and for root; that others cannot is no error.
    private static func restoreTime(_ object: ScanObject, _ before: stat) {
        var times = [before.st_atim, timespec(tv_sec: 0, tv_nsec: omit)]
        _ = futimens(object.descriptor.raw, &times)
    }
}

/// A counting semaphore.
private final class Semaphore: @unchecked Sendable {
    private let handle: UnsafeMutablePointer<sem_t>

    init() {
        handle = .allocate(capacity: 1)
        sem_init(handle, 0, 0)
    }

    deinit {
        sem_destroy(handle)
        handle.deallocate()
    }

    func signal() { sem_post(handle) }

    func wait() { while sem_wait(handle) != 0 && errno == EINTR {} }
}
