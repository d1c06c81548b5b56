import Glibc
import Platform

/// One line on the terminal that says how far the work is. Nothing when standard error is no terminal.
package struct ProgressLine: ~Copyable {
    private let isShown: Bool
    private let label: String
    private var lastShown: UInt64 = 0
    private var isDirty = false

    /// - Parameter label: what is going on, e.g. "Compiling signatures".
    package init(_ label: String) {
        self.init(label, isShown: isatty(STDERR_FILENO) == 1)
    }

    init(_ label: String, isShown: Bool) {
        self.label = label
        self.isShown = isShown
    }

    /// Shows the state, at most ten times a second.
    ///
    /// - Parameters:
    ///   - done: how much is done.
    ///   - total: how much there is; nil when that is not known.
    package mutating func update(_ done: Int, of total: Int?) {
        guard isShown else { return }
        let now = Clock.now
        guard now &- lastShown >= 100_000_000 else { return }
        lastShown = now
        isDirty = true
        put("\r\(ProgressLine.text(label, done, total))\u{1B}[K")
    }

    /// Removes the line, so that other output stands alone.
    package mutating func clear() {
        guard isDirty else { return }
        isDirty = false
        lastShown = 0
        put("\r\u{1B}[K")
    }

    /// "Label 12 of 30 (40 %)" or "Label 12".
    static func text(_ label: String, _ done: Int, _ total: Int?) -> String {
        guard let total, total > 0 else { return "\(label) \(done)" }
        let percent = Int(Double(min(max(0, done), total)) / Double(total) * 100)
        return "\(label) \(done) of \(total) (\(percent) %)"
    }

    private func put(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    deinit {
        if isDirty { put("\r\u{1B}[K") }
    }
}
