import JSON
import Programs
import TUF
import TUFRepository

/// `esets_publish refresh`, `sign`, `delegate`, `rotate-key` and `expire`
struct RoleCommands {
    let context: Context

    init(_ context: Context) { self.context = context }

    func run() {
        do throws(RepositoryError) {
            switch context.command {
            case "refresh": context.finish(try context.repository().refresh())
            case "sign":
                let roles = context.operands.isEmpty ? nil : Set(context.operands)
                context.finish(try context.repository().publish(signing: roles))
            case "delegate": try delegate()
            case "rotate-key": try rotate()
            default: try expire()
            }
        } catch {
            context.fail(error)
        }
    }

    private var role: String {
        guard context.operands.count == 1 else { context.usage("\(context.command): which role?") }
        return context.operands[0]
    }

    private func delegate() throws(RepositoryError) {
        let name = role
        let repository = context.repository()
        if context.arguments.has("remove") {
            try repository.undelegate(name)
            context.finish(try repository.publish())
        }
        guard let paths = context.list("paths") else { context.usage("delegate needs --paths") }
        var kinds: Set<TargetKind> = []
        for text in context.list("kinds") ?? ["signatures", "antispam"] {
            guard let kind = TargetKind(rawValue: text) else { context.usage("--kinds: there is no kind \"\(text)\"") }
            kinds.insert(kind)
        }
        var keys: [PublicKey] = []
        for path in context.arguments.values("public-key") { keys.append(try KeyRing.readPublic(path)) }
        var lines: [String] = []
        if keys.isEmpty {
            let key = try repository.makeKey(context.keyType, for: name, encrypted: context.arguments.has("encrypt"))
            keys.append(key.publicKey)
            lines.append("key       \(repository.keys.path(key.keyID) ?? key.keyID)")
        }
        var plan = DelegationPlan(name: name, keys: keys, paths: paths, kinds: kinds)
        plan.threshold = context.number("threshold", in: 1...64) ?? 1
        plan.bins = context.number("bins", in: 0...4_096) ?? 0
        try repository.delegate(plan)
        context.finish(try repository.publish(), lines: lines)
    }

    private func rotate() throws(RepositoryError) {
        let name = role
        let repository = context.repository()
        let replaced = context.arguments.values("replace")
        let keyID = try repository.rotate(
            name, context.keyType, keepsOld: context.arguments.has("keep-old"),
            replaced: replaced.isEmpty ? nil : replaced, encrypted: context.arguments.has("encrypt"),
            threshold: context.number("threshold", in: 1...64))
        let path = repository.keys.path(keyID) ?? keyID
        context.finish(
            try repository.publish(), ["key": .string(path), "key_id": .string(keyID)], lines: ["key       \(path)"])
    }

    private func expire() throws(RepositoryError) {
        let name = role
        guard let days = context.number("days", in: 1...36_500) else { context.usage("expire needs --days") }
        let repository = context.repository()
        try repository.expire(name, days: days)
        context.finish(try repository.publish(forcing: name == "snapshot" ? ["snapshot", "timestamp"] : ["timestamp"]))
    }
}
