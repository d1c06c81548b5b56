import Glibc
import Synchronization

/// Notes that somebody wants the run to end, so that it ends with its summary.
enum Interruption {
    private static let flag = Atomic<Bool>(false)

    static var happened: Bool { flag.load(ordering: .relaxed) }

    /// The first SIGINT, SIGTERM or SIGHUP ends the run after the current file; the second ends the process.
    static func install() {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number) { number in
                Interruption.flag.store(true, ordering: .relaxed)
                signal(number, SIG_DFL)
            }
        }
    }
}
