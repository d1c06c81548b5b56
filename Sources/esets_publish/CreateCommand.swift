import JSON
import Platform
import Programs
import TUF
import TUFRepository

/// `esets_publish create` and `init`
struct CreateCommand {
    let context: Context

    init(_ context: Context) { self.context = context }

    func run() {
        guard context.operands.isEmpty else { context.usage("\(context.command) takes one directory") }
        let sources = context.arguments.values("sources")
        guard context.command == "init" || !sources.isEmpty else { context.usage("create needs --sources=DIR") }
        do throws(RepositoryError) {
            let repository = try Repository.create(context.directory, plan(), keys: context.keys(), now: context.now)
            for source in sources { _ = try repository.synchronize(with: source) }
            let report = try repository.publish()
            finish(repository, report)
        } catch {
            context.fail(error)
        }
    }

    private func plan() -> RepositoryPlan {
        var plan = RepositoryPlan()
        plan.keyType = context.keyType
        plan.rootKeys = context.number("root-keys", in: 1...64) ?? 1
        plan.rootThreshold = context.number("root-threshold", in: 1...64) ?? 1
        plan.targetsKeys = context.number("targets-keys", in: 1...64) ?? 1
        plan.targetsThreshold = context.number("targets-threshold", in: 1...64) ?? 1
        plan.bins = context.number("bins", in: 0...4_096) ?? 0
        plan.encrypts = context.arguments.has("encrypt")
        return plan
    }

    private func finish(_ repository: Repository, _ report: PublishReport) {
        let root = (try? Files.read(repository.rootFile)) ?? []
        let digest = Hexadecimal.text(SHA2.sha256(root))
        let keys = repository.keys.directories[0]
        context.finish(
            report,
            [
                "root": .string(repository.rootFile), "root_sha256": .string(digest),
                "public": .string("\(context.directory)/public"), "keys": .string(keys),
                "targets": .integer(Int64(repository.entries.count)),
            ],
            lines: [
                "served    \(context.directory)/public, by any web server (\(repository.entries.count) targets)",
                "root      \(repository.rootFile), for clients; SHA-256 \(digest)",
                "keys      \(keys); move root-* and targets-* to where only you can get them",
            ])
    }
}
