import CLinux
import Glibc
import Platform

/// Starts processes and tells how they ended.
final class ChildWatch {
    private let loop: PollLoop
    private var running: [pid_t: PollLoop.Token] = [:]

    init(_ loop: PollLoop) {
        self.loop = loop
    }

    /// Starts a process; `ended` is called once, from the loop.
    func start(
        _ program: String, arguments: [String], environment: [String: String],
        descriptors: [(child: Int32, parent: Int32)], ended: @escaping (ProcessEnd) -> Void
    ) throws(SystemError) -> pid_t {
        let pid = try ChildProcess.spawn(
            program, arguments: arguments, environment: environment, descriptors: descriptors)
        do throws(SystemError) {
            let watched = Descriptor(owning: try checked("pidfd_open") { CLinux_process_descriptor(pid) })
            running[pid] = loop.watch(watched) { [unowned self] _ in
                guard let end = ChildWatch.end(of: pid) else { return }
                loop.remove(running.removeValue(forKey: pid))
                ended(end)
            }
        } catch {
            kill(pid, SIGKILL)
            _ = try? ChildProcess.wait(pid)
            throw error
        }
        return pid
    }

    /// How a process ended; nil when it still runs.
    private static func end(of pid: pid_t) -> ProcessEnd? {
        do throws(SystemError) { return try ChildProcess.wait(pid, block: false) } catch {
            // Somebody else took its status: it is gone, and nothing is known that could be blamed on it.
            return .killed(signal: SIGKILL)
        }
    }

    /// Signals a process that this object started and that has not been waited for.
    func signal(_ pid: pid_t, _ number: Int32) {
        if running[pid] != nil { kill(pid, number) }
    }

    var count: Int { running.count }
}
