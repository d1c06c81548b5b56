import Glibc
import Platform
import Supervision
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
}
