import Glibc
import Platform
import Supervision
import Synchronization
import Testing

@Suite("Pid file") struct PidFileTests {
    @Test("a second manager is told who runs")
    func lock() throws {
        let path = "/tmp/esets-pid-\(getpid())/run/x.pid"
        defer { try? Files.remove("/tmp/esets-pid-\(getpid())") }
        let first = try PidFile(path)
        #expect(PidFile.content(path) == "\(getpid())")
        #expect(PidFile.isHeld(path))
        #expect {
            _ = try PidFile(path)
        } throws: { error in
            if case .alreadyRunning(let pid)? = error as? PidFile.Failure { pid == "\(getpid())" } else { false }
        }
        first.remove()
        #expect(!Files.exists(path))
    }

    @Test("a lock of a file that was removed meanwhile is no lock")
    func removed() throws {
        let directory = "/tmp/esets-pid-removed-\(getpid())"
        let path = "\(directory)/x.pid"
        defer { try? Files.remove(directory) }
        let first = try PidFile(path)
        // What another one sees that opened the file just before.
        first.remove()
        let second = try PidFile(path)
        #expect(PidFile.content(path) == "\(getpid())")
        withExtendedLifetime((first, second)) {}
        #expect(throws: PidFile.Failure.self) { _ = try PidFile(path) }
    }

    @Test("whoever looks whether it is held does not keep another one from starting")
    func looking() throws {
        let directory = "/tmp/esets-pid-looking-\(getpid())"
        let path = "\(directory)/x.pid"
        defer { try? Files.remove(directory) }
        try Files.makeDirectory(directory)
        let looker = try Descriptor.open(path, O_RDWR | O_CREAT, mode: 0o644)
        try #require(flock(looker.raw, LOCK_SH) == 0)
        let thread = spawnThread {
            usleep(50_000)
            flock(looker.raw, LOCK_UN)
        }
        // The other thread may be late.
        let file = try PidFile(path, attempts: 500)
        pthread_join(thread, nil)
        #expect(PidFile.isHeld(path))
        file.remove()
    }

    @Test("a file that was removed between opening and locking it is not taken")
    func race() throws {
        let directory = "/tmp/esets-pid-race-\(getpid())"
        let path = "\(directory)/x.pid"
        defer { try? Files.remove(directory) }
        var first: PidFile? = try PidFile(path)
        let outcome = Mutex<Bool?>(nil)
        // Another one begins while the first holds the lock; then the first goes.
        let thread = spawnThread {
            let second = try? PidFile(path, attempts: 500)
            outcome.withLock { $0 = second == nil ? nil : PidFile.isHeld(path) }
        }
        usleep(60_000)
        first?.remove()
        first = nil
        pthread_join(thread, nil)
        #expect(outcome.withLock { $0 } == true)
    }
}
