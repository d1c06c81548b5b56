import Glibc
import Logging
import Platform

/// A canary under way: a process of its own that loads a generation, tests it, and scans objects that others died of.
final class CanaryRun {
    enum Outcome: Equatable {
        case good
        /// It refused, crashed, or did not end in time.
        case bad(String)
        /// Somebody else ended it, or it could not be started: nothing is known about the generation.
        case unknown(String)
    }

    private let generation: UInt64
    private let loop: PollLoop
    private let talk: CanaryTalk
    private let ended: (Outcome) -> Void
    private var timer: PollLoop.Token?
    private var isLate = false

    private init(
        _ generation: UInt64, _ loop: PollLoop, _ talk: CanaryTalk, _ ended: @escaping (Outcome) -> Void
    ) {
        self.generation = generation
        self.loop = loop
        self.talk = talk
        self.ended = ended
    }

    /// Starts a canary; `ended` is called once, later.
    ///
    /// - Parameters:
    ///   - samples: objects that it scans after it found the generation good; crashing on one makes it bad.
    ///   - reference: another generation, and the percentage of its time that this one may take; nil = any time.
    ///   - user: whose rights it takes.
    static func start(
        _ generation: UInt64, samples: [Descriptor] = [], reference: (generation: UInt64, percent: Int)? = nil,
        user: String, loop: PollLoop, children: ChildWatch,
        program: ManagerProgram, log: @escaping () -> Log, ended: @escaping (Outcome) -> Void
    ) {
        do throws(SystemError) {
            let (near, far) = try UnixSocket.pair()
            let run = CanaryRun(generation, loop, CanaryTalk(near, loop, log), ended)
            var descriptors = [(child: ManagerProgram.controlDescriptor, parent: far.raw)]
            for (index, sample) in samples.enumerated() {
                descriptors.append((ManagerProgram.firstSample + Int32(index), sample.raw))
            }
            let pid = try children.start(
                program.path,
                arguments: program.arguments(
                    ["--canary=\(generation)", "--samples=\(samples.count)", "--user=\(user)"]
                        + (reference.map { ["--reference=\($0.generation)", "--slowdown=\($0.percent)"] } ?? [])),
                environment: program.environment, descriptors: descriptors
            ) { end in run.processEnded(end) }
            run.talk.listen()
            run.timer = loop.after(ManagerProgram.canarySeconds * 1_000_000_000) {
                run.isLate = true
                children.signal(pid, SIGKILL)
            }
        } catch {
            // The caller hears it like any other outcome: from the loop.
            let text = "the canary cannot be started: \(error)"
            loop.after(0) { ended(.unknown(text)) }
        }
    }

    private func processEnded(_ end: ProcessEnd) {
        loop.remove(timer)
        talk.end()
        ended(outcome(end))
    }

    private func outcome(_ end: ProcessEnd) -> Outcome {
        if end == .exited(0) && talk.loaded == generation && talk.failure == nil { return .good }
        if let failure = talk.failure { return .bad(failure) }
        if isLate { return .bad("the canary did not end within \(ManagerProgram.canarySeconds) seconds") }
        let text = "the canary ended with \(end)"
        if case .killed(let signal) = end, signal == SIGKILL || signal == SIGTERM { return .unknown(text) }
        return .bad(text)
    }
}
