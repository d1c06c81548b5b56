import JSON
import Platform
import Programs
import TUF
import TUFRepository

/// `esets_publish sync`, `add`, `remove` and `delta`
struct TargetCommands {
    let context: Context

    init(_ context: Context) { self.context = context }

    func run() {
        do throws(RepositoryError) {
            switch context.command {
            case "sync": try synchronize()
            case "add": try add()
            case "remove": try remove()
            default: try makeDeltas()
            }
        } catch {
            context.fail(error)
        }
    }

    private func synchronize() throws(RepositoryError) {
        let sources = context.arguments.values("sources")
        guard sources.count == 1, context.operands.isEmpty else { context.usage("sync needs one --sources=DIR") }
        let repository = context.repository()
        let changes = try repository.synchronize(with: sources[0])
        finish(try repository.publish(), added: changes.added, removed: changes.removed)
    }

    private func add() throws(RepositoryError) {
        guard !context.operands.isEmpty else { context.usage("add: which files?") }
        guard let kind = context.kind else { context.usage("add needs --kind") }
        let name = context.arguments.value("as")
        guard name == nil || context.operands.count == 1 else { context.usage("--as names the path of one file") }
        let repository = context.repository()
        var added: [String] = []
        for file in context.operands {
            let path = name ?? kind.folder + Files.name(of: file)
            if try repository.add(file, as: path, kind, role: context.arguments.value("role")) { added.append(path) }
        }
        try repository.removeStaleDeltas()
        finish(try repository.publish(), added: added, removed: [])
    }

    private func remove() throws(RepositoryError) {
        guard !context.operands.isEmpty else { context.usage("remove: which targets?") }
        let repository = context.repository()
        try repository.remove(context.operands)
        finish(try repository.publish(), added: [], removed: context.operands)
    }

    private func makeDeltas() throws(RepositoryError) {
        let repository = context.repository()
        let all = repository.entries.filter { $0.kind != .delta }
        for path in context.operands where !all.contains(where: { $0.path == path }) {
            throw RepositoryError(.request, "\(path): there is no such target")
        }
        var made = 0
        for entry in all where context.operands.isEmpty || context.operands.contains(entry.path) {
            made += try repository.makeDeltas(entry.path, in: entry.role)
        }
        context.finish(
            try repository.publish(), ["deltas": .integer(Int64(made))], lines: ["made      \(made) deltas"])
    }

    private func finish(_ report: PublishReport, added: [String], removed: [String]) {
        context.finish(
            report,
            [
                "added": .array(added.map { .string($0) }), "removed": .array(removed.map { .string($0) }),
            ], lines: added.map { "added     \($0)" } + removed.map { "removed   \($0)" })
    }
}
