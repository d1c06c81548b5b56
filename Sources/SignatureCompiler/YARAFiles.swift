import Bytes
import YARA

/// The YARA files of a compilation: an `include` finds only these, by name.
struct YARAFiles {
    private var contents: [String: ByteView] = [:]
    private var included: Set<String> = []

    init(_ files: [SignatureFile]) {
        for file in files { contents[file.name] = file.bytes }
        for file in files where file.bytes.firstIndex(of: ByteView("include")) != nil {
            _ = RuleFile(file.bytes.array, name: file.name) { name in
                let name = Self.lastPart(name)
                guard name != file.name, let content = contents[name] else { return nil }
                included.insert(name)
                return content.array
            }
        }
    }

    /// Whether the rules of a file come with another file.
    func isIncluded(_ name: String) -> Bool { included.contains(name) }

    /// The rules of a file and of what it includes, checked.
    func rules(of file: SignatureFile) -> (rules: [CheckedRule], errors: [YARAError]) {
        Checker.check(
            RuleFile(file.bytes.array, name: file.name) { name in
                contents[Self.lastPart(name)]?.array
            })
    }

    private static func lastPart(_ path: String) -> String {
        String(path[(path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)...])
    }
}

extension LineError {
    /// What a rule's error is in the report.
    init(_ error: YARAError) {
        self = error.kind == .malformed ? .malformed(error.reason) : .unsupported(error.reason)
    }
}
