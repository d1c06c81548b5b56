/// A file of rules, parsed.
package struct RuleFile {
    /// The rules that are whole, in their order.
    package internal(set) var rules: [Rule] = []
    /// The imports, in their order.
    package internal(set) var imports: [(module: String, place: SourcePlace)] = []
    /// What is wrong: each error costs one rule or statement.
    package internal(set) var errors: [YARAError] = []

    /// Files that one file may include, and levels of including.
    private static let includeLimit = 256
    private static let includeDepth = 16

    /// - Parameters:
    ///   - bytes: the content.
    ///   - name: of the file, for messages.
    ///   - include: the content of a file that an `include` names, or nil when there is none: then the statement is
    ///     an error. Nothing is read by this library.
    package init(_ bytes: [UInt8], name: String, include: (String) -> [UInt8]? = { _ in nil }) {
        var included: Set<String> = [name]
        read(bytes, name: name, depth: 0, included: &included, include: include)
    }

    private mutating func read(
        _ bytes: [UInt8], name: String, depth: Int, included: inout Set<String>, include: (String) -> [UInt8]?
    ) {
        var parser = Parser(bytes, file: name)
        while true {
            do throws(YARAError) {
                guard let statement = try parser.statement() else { return }
                switch statement {
                case .importModule(let module, let place): imports.append((module, place))
                case .rule(let rule): rules.append(rule)
                case .include(let file, let place):
                    guard depth < Self.includeDepth, included.count < Self.includeLimit else {
                        throw YARAError(.unsupported, at: place, "too many includes")
                    }
                    guard !included.contains(file) else { continue }
                    guard let content = include(file) else {
                        throw YARAError(.unsupported, at: place, "an include of a file outside of the sources")
                    }
                    included.insert(file)
                    read(content, name: file, depth: depth + 1, included: &included, include: include)
                }
            } catch {
                errors.append(error)
                parser.recover()
            }
        }
    }
}
