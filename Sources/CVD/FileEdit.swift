package import Bytes

/// What is changed in one file of a container.
package struct FileEdit {
    /// One line that goes, or is replaced.
    struct Change {
        /// From 1, in the file as it was.
        let line: Int
        let beginning: ByteView
        /// nil: the line goes.
        let new: ByteView?
    }

    package let name: String
    /// In rising order of lines.
    private(set) var changes: [Change] = []
    /// Lines for the end, in order.
    var additions: [ByteView] = []

    init(name: String) {
        self.name = name
    }

    /// Whether the file must be there.
    package var needsFile: Bool { !changes.isEmpty }

    mutating func change(_ change: Change) throws(CVDError) {
        if let last = changes.last, last.line >= change.line {
            throw CVDError(.malformed, "the numbers of lines do not rise")
        }
        changes.append(change)
    }

    /// Applies it. What the sink took is good only when this returns.
    ///
    /// - Parameter old: the file, empty when there is none.
    package func apply(to old: ByteView, _ sink: (ByteView) throws(CVDError) -> Void) throws(CVDError) {
        var at = 0
        var line = 0
        var copied = 0
        for change in changes {
            // To the beginning of the line.
            while line + 1 < change.line, at < old.count {
                at = (old.firstIndex(of: 0x0a, from: at) ?? old.count) + 1
                line += 1
            }
            guard at < old.count else { throw CVDError(.malformed, "\(name) has no line \(change.line)") }
            let end = old.firstIndex(of: 0x0a, from: at) ?? old.count
            guard end < old.count else { throw CVDError(.malformed, "\(name) does not end with a whole line") }
            guard old.slice(at, end).hasPrefix(change.beginning) else {
                throw CVDError(.malformed, "line \(change.line) of \(name) is another one than the script expects")
            }
            try sink(old.slice(copied, at))
            if let new = change.new {
                try sink(new)
                try sink(ByteView("\n"))
            }
            at = end + 1
            line += 1
            copied = at
        }
        try sink(old.dropFirst(copied))
        guard additions.isEmpty || old.isEmpty || old[old.count - 1] == 0x0a else {
            throw CVDError(.malformed, "\(name) does not end with a whole line")
        }
        for addition in additions {
            try sink(addition)
            try sink(ByteView("\n"))
        }
    }
}

/// Lines that go from one file to the end of another.
package struct LineMove {
    package let from: String
    package let to: String
    let first: Int
    let firstBeginning: ByteView
    let last: Int
    let lastBeginning: ByteView

    /// Where the lines are in the file that they leave: offsets of the first byte, and of the one behind the last.
    package func range(in old: ByteView) throws(CVDError) -> Range<Int> {
        var at = 0
        var start = 0
        for line in 1...last {
            guard at < old.count else { throw CVDError(.malformed, "\(from) has no line \(line)") }
            let end = old.firstIndex(of: 0x0a, from: at) ?? old.count
            guard end < old.count else { throw CVDError(.malformed, "\(from) does not end with a whole line") }
            if line == first {
                start = at
                try check(old.slice(at, end), firstBeginning, line)
            }
            if line == last { try check(old.slice(at, end), lastBeginning, line) }
            at = end + 1
        }
        return start..<at
    }

    private func check(_ line: ByteView, _ beginning: ByteView, _ number: Int) throws(CVDError) {
        guard line.hasPrefix(beginning) else {
            throw CVDError(.malformed, "line \(number) of \(from) is another one than the script expects")
        }
    }
}
