import Glibc
import Programs

/// Asking a person.
enum Terminal {
    /// A line that is not shown while it is typed; nil without a terminal.
    static func secret(_ question: String) -> String? {
        guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else { return nil }
        var settings = termios()
        guard tcgetattr(STDIN_FILENO, &settings) == 0 else { return nil }
        var silent = settings
        silent.c_lflag &= ~tcflag_t(ECHO)
        guard tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0 else { return nil }
        defer {
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings)
            Console.error("")
        }
        _ = question.withCString { write(STDERR_FILENO, $0, strlen($0)) }
        return readLine()
    }
}
