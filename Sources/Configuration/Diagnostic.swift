/// Something to say about a configuration, with the place it is about.
package struct Diagnostic: Sendable, Equatable, CustomStringConvertible {
    package enum Severity: Sendable { case error, warning }

    package let severity: Severity
    package let file: String
    /// 1 is the first line; 0 = the file as a whole.
    package let line: Int
    /// What is wrong and what to do, one sentence without a final period.
    package let message: String

    package init(_ severity: Severity, file: String, line: Int, _ message: String) {
        self.severity = severity
        self.file = file
        self.line = line
        self.message = message
    }

    /// `file:line: message`
    package var description: String { line > 0 ? "\(file):\(line): \(message)" : "\(file): \(message)" }
}

/// A configuration that cannot be used: everything that is wrong with it, at once.
package struct ConfigurationError: Error, Sendable, CustomStringConvertible {
    /// Errors and warnings in the order of the files' lines; at least one error.
    package let diagnostics: [Diagnostic]

    package init(_ diagnostics: [Diagnostic]) { self.diagnostics = diagnostics }

    init(file: String, _ message: String) {
        self.init([Diagnostic(.error, file: file, line: 0, message)])
    }

    /// The errors alone.
    package var errors: [Diagnostic] { diagnostics.filter { $0.severity == .error } }

    /// One line for each error.
    package var description: String { errors.map(\.description).joined(separator: "\n") }
}
