import Glibc
import JSON
package import Platform

/// Runs the fetcher in a process of its own: another user, one writable directory, no keys, no configuration.
package struct FetcherProcess: Sendable {
    /// This program, which has the hidden option `--fetch`.
    let program: String

    package init(program: String) {
        self.program = program
    }

    /// The user that fetches, when this is root.
    package static var user: UserAccount? { geteuid() == 0 ? UserAccount.unprivileged() : nil }

    /// Makes the directory that the process may write to. What an earlier run left incomplete stays there.
    package static func prepare(staging: String) throws(UpdateError) {
        do throws(SystemError) {
            try Files.makeDirectory(staging, mode: 0o700)
            if let user {
                _ = try checked("chown", staging) { lchown(staging, user.uid, user.gid) }
            }
        } catch {
            throw UpdateError(error)
        }
    }

    /// Fetches.
    ///
    /// - Parameter progress: is told how far it is.
    package func run(
        _ plan: FetchPlan, progress: (_ upstream: String, _ file: String, _ done: Int, _ total: Int?) -> Void
    ) throws(UpdateError) -> FetchReport {
        var report: FetchReport?
        do throws(SystemError) {
            let (ask, answer) = (try Self.pipe(), try Self.pipe())
            var arguments = [program, "--fetch"]
            if let user = Self.user { arguments.append("--as=\(user.name)") }
            let child = try ChildProcess.spawn(
                program, arguments: arguments, environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"],
                descriptors: [(0, ask.read.raw), (1, answer.write.raw), (2, STDERR_FILENO)])
            var line: [UInt8] = []
            do throws(SystemError) {
                try Self.send(plan, ask.write)
                ask.close()
                answer.closeWrite()
                try Self.lines(answer.read, &line) { line in
                    switch FetchEvent(line: line) {
                    case .progress(let upstream, let file, let done, let total): progress(upstream, file, done, total)
                    case .report(let finished): report = finished
                    case nil: break
                    }
                }
            } catch {
                kill(child, SIGKILL)
                _ = try ChildProcess.wait(child)
                throw error
            }
            let end = try ChildProcess.wait(child)
            guard end == .exited(0) else {
                throw SystemError(
                    "the fetching process ended with \(end.map(String.init(describing:)) ?? "nothing")", code: EINVAL)
            }
        } catch {
            throw UpdateError(.sources, error.code == EINVAL ? error.call : error.description)
        }
        guard let report else { throw UpdateError(.sources, "the fetching process ended without a report") }
        return report
    }

    /// One direction between the two processes.
    private final class Pipe {
        private var readEnd: Descriptor?
        private var writeEnd: Descriptor?
        var read: Descriptor { readEnd ?? Descriptor(owning: -1) }
        var write: Descriptor { writeEnd ?? Descriptor(owning: -1) }

        init(_ read: Descriptor, _ write: Descriptor) {
            readEnd = read
            writeEnd = write
        }

        func close() { (readEnd, writeEnd) = (nil, nil) }
        func closeWrite() { writeEnd = nil }
    }

    private static func pipe() throws(SystemError) -> Pipe {
        var ends: [Int32] = [-1, -1]
        _ = try checked("pipe") { Glibc.pipe(&ends) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return Pipe(Descriptor(owning: ends[0]), Descriptor(owning: ends[1]))
    }

    private static func send(_ plan: FetchPlan, _ pipe: Descriptor) throws(SystemError) {
        // A child that dies at once must not end this process.
        signal(SIGPIPE, SIG_IGN)
        try pipe.writeAll(Array((plan.json.text() + "\n").utf8))
    }

    /// Longer than any report can be.
    private static let lineLimit = 256 << 20

    private static func lines(
        _ pipe: Descriptor, _ line: inout [UInt8], _ take: ([UInt8]) -> Void
    ) throws(SystemError) {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = try checkedCount("read") { read(pipe.raw, &chunk, chunk.count) }
            if count == 0 { return }
            for byte in chunk[..<count] {
                if byte == 0x0a {
                    take(line)
                    line.removeAll(keepingCapacity: true)
                } else {
                    line.append(byte)
                }
            }
            guard line.count <= lineLimit else { throw SystemError("read", "the fetching process", code: EFBIG) }
        }
    }
}
