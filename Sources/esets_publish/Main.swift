import Programs

@main
struct Main {
    static let program = Program(
        "esets_publish", "Makes, signs and looks after an update repository.",
        usage: "[OPTIONS..] COMMAND DIR [ARGUMENTS..]",
        options: [
            ProgramOption("sources", .value("DIR"), help: "a folder with modules/, signatures/, antispam/, pcu/"),
            ProgramOption("kind", .value("KIND"), help: "with add: module, signatures, antispam or pcu"),
            ProgramOption("as", .value("PATH"), help: "with add: the target's path, for one file"),
            ProgramOption("role", .value("NAME"), help: "with add: the role that brings it"),
            ProgramOption("keys", .value("DIR"), help: "where private keys are, in place of DIR/keys; may be repeated"),
            ProgramOption("key-type", .value("TYPE"), help: "keys that are made: ed25519 (default), ecdsa or rsa"),
            ProgramOption("root-keys", .value("N"), help: "with create, init: keys of the root role (1)"),
            ProgramOption("root-threshold", .value("N"), help: "how many of them must sign (1)"),
            ProgramOption("targets-keys", .value("N"), help: "keys of the top-level targets role (1)"),
            ProgramOption("targets-threshold", .value("N"), help: "how many of them must sign (1)"),
            ProgramOption("bins", .value("N"), help: "with create, init, delegate: spread targets over N hash bins"),
            ProgramOption("encrypt", help: "encrypt the keys that are made (create, init: root and targets)"),
            ProgramOption("passphrase-file", .value("FILE"), help: "the passphrase of encrypted keys"),
            ProgramOption("paths", .value("LIST"), help: "with delegate: patterns, e.g. signatures/acme/*"),
            ProgramOption(
                "kinds", .value("LIST"), help: "with delegate: kinds that it may bring (signatures,antispam)"),
            ProgramOption("public-key", .value("FILE"), help: "with delegate: a key that others hold; may be repeated"),
            ProgramOption("threshold", .value("N"), help: "with delegate, rotate-key: how many keys must sign"),
            ProgramOption("remove", help: "with delegate: trust the role no more"),
            ProgramOption("keep-old", help: "with rotate-key: the old keys stay valid beside the new one"),
            ProgramOption("replace", .value("ID"), help: "with rotate-key: the key that goes; may be repeated"),
            ProgramOption("days", .value("N"), help: "with expire: how long files of the role count"),
            ProgramOption("keep", .value("N"), help: "with prune: versions of each role that stay (10)"),
            ProgramOption("json", help: "print one JSON object"),
            ProgramOption("prometheus", help: "with check: print metrics for Prometheus"),
        ],
        operands: 1...Int.max,
        notes: """
            Commands:
              create DIR --sources=DIR     from nothing to a repository that a web server can serve
              init DIR                     the same without targets
              sync DIR --sources=DIR       make the targets be what the folder has, with deltas
              add DIR FILES.. --kind=KIND  add or replace targets
              remove DIR TARGETS..         take targets out
              refresh DIR                  sign again what expires soon; daily, with the online keys
              sign DIR [ROLES..]           add signatures to what waits for them, and publish what is complete
              delegate DIR NAME            trust another key with some targets, never with modules
              rotate-key DIR ROLE          give a role a new key
              expire DIR ROLE --days=N     how long files of a role count
              delta DIR [TARGETS..]        make deltas from older versions that are stored
              prune DIR                    remove old metadata, and files that no target needs
              list DIR                     targets
              check DIR                    everything that is served, as a client sees it

            DIR/public is what is served. DIR/root.json is what a client begins with.
            Exit status: 0 done, 1 failed or not good, 3 done, but signatures are missing, 64 wrong usage.
            """)

    static func main() {
        let context = Context(program.arguments())
        switch context.command {
        case "create", "init": CreateCommand(context).run()
        case "sync", "add", "remove", "delta": TargetCommands(context).run()
        case "refresh", "sign", "delegate", "rotate-key", "expire": RoleCommands(context).run()
        case "prune", "list", "check": StateCommands(context).run()
        default: context.usage("unknown command \"\(context.command)\"")
        }
    }
}
