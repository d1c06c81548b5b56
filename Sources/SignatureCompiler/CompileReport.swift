/// What became of the lines of the signature files.
package struct CompileReport: Sendable {
    /// One line, or a whole file, that did not become a signature.
    package struct Problem: Sendable, CustomStringConvertible {
        /// Name of the file.
        package let file: String
        /// Line, from 1; 0 when it concerns the whole file.
        package let line: Int
        /// Column, from 1; 0 when it concerns the whole line.
        package let column: Int
        /// Why, in a few words.
        package let reason: String

        /// "daily.ndb:12: the signature has an odd number of hex digits"
        package var description: String {
            if line == 0 { return "\(file): \(reason)" }
            return column == 0 ? "\(file):\(line): \(reason)" : "\(file):\(line):\(column): \(reason)"
        }
    }

    /// Lines that break their format: counted all, the first ones listed.
    package internal(set) var malformedCount = 0
    package internal(set) var malformed: [Problem] = []
    /// Signatures that are right but are not evaluated by this version: counted all, the first ones listed.
    package internal(set) var unsupportedCount = 0
    package internal(set) var unsupported: [Problem] = []
    /// How many are not evaluated for which reason.
    package internal(set) var unsupportedReasons: [String: Int] = [:]
    /// Signatures left out because an ignore list names them.
    package internal(set) var ignored = 0
    /// Signatures compiled, those of false positives included.
    package internal(set) var signatures = 0
    /// Of these, body patterns, and hashes of objects that are never malware.
    package internal(set) var patterns = 0
    /// Of these, logical signatures and YARA rules.
    package internal(set) var rules = 0
    package internal(set) var allowed = 0

    /// What became of each file, in the order in which they were compiled.
    package internal(set) var files: [FileCount] = []

    /// What became of the lines of one file.
    package struct FileCount: Sendable, Equatable {
        package let name: String
        /// Signatures that it gave; of a file of ignore lists or settings, none.
        package let signatures: Int
        package let malformed: Int
        /// Signatures in it that are not evaluated.
        package let unsupported: Int
        /// Signatures in it that an ignore list names.
        package let ignored: Int
    }

    /// Notes what a file gave: what was counted since `earlier`.
    mutating func endFile(_ name: String, since earlier: CompileReport) {
        files.append(
            FileCount(
                name: name, signatures: signatures - earlier.signatures,
                malformed: malformedCount - earlier.malformedCount,
                unsupported: unsupportedCount - earlier.unsupportedCount, ignored: ignored - earlier.ignored))
    }

    /// Problems that are listed of each kind; all are counted.
    var listed = 1000

    mutating func add(_ error: LineError, file: String, line: Int, column: Int = 0) {
        let problem = Problem(file: file, line: line, column: column, reason: error.reason)
        switch error.kind {
        case .malformed:
            malformedCount += 1
            if malformed.count < listed { malformed.append(problem) }
        case .unsupported:
            unsupportedCount += 1
            unsupportedReasons[error.reason, default: 0] += 1
            if unsupported.count < listed { unsupported.append(problem) }
        }
    }
}

/// Why a line is left out. Reasons name no content of the line, so that equal ones can be counted.
struct LineError: Error, Equatable {
    enum Kind { case malformed, unsupported }

    let kind: Kind
    let reason: String

    static func malformed(_ reason: String) -> LineError { LineError(kind: .malformed, reason: reason) }
    static func unsupported(_ reason: String) -> LineError { LineError(kind: .unsupported, reason: reason) }
}
