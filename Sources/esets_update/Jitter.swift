import Glibc
import Programs

/// `--jitter`: many clients with the same crontab must not ask at the same second.
///
/// The waiting comes before anything is read: what is configured, and what time it is, count afterwards.
enum Jitter {
    static func wait(_ arguments: Arguments) {
        do throws(UsageError) {
            guard let longest = try arguments.number("jitter", in: 0...86_400), longest > 0 else { return }
            let seconds = UInt32.random(in: 0...UInt32(longest))
            if arguments.has("verbose") || isatty(STDERR_FILENO) == 1 {
                Console.error("\(Main.program.name): waiting \(seconds) seconds of \(longest) (--jitter)")
            }
            // A signal that is handled may end it early.
            var left = seconds
            while left > 0 { left = sleep(left) }
        } catch {
            Main.program.fail(usage: error)
        }
    }
}
