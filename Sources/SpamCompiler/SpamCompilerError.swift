/// What is wrong in a rule file, or with learned data.
package struct SpamCompilerError: Error, Sendable, Equatable, CustomStringConvertible {
    /// File as the caller named it.
    package let file: String
    /// From 1; 0 when the whole file is meant.
    package let line: Int
    /// What is wrong and what would be right.
    package let message: String

    package init(_ file: String, line: Int = 0, _ message: String) {
        self.file = file
        self.line = line
        self.message = message
    }

    package var description: String { line > 0 ? "\(file):\(line): \(message)" : "\(file): \(message)" }
}
