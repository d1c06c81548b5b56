import Configuration
import Platform
import Programs

@main
struct Main {
    static let program = Program(
        "esets_daemon", "Manages scanning processes and agents.", usage: "[OPTIONS..]",
        options: [
            ProgramOption("foreground", help: "do not go to the background"),
            ProgramOption("stop", help: "end the running daemon: messages under way are finished first"),
            ProgramOption("reload", help: "make the running daemon read its configuration again"),
            ProgramOption("status", help: "show what the running daemon does, as KEY=VALUE lines"),
            ProgramOption("json", help: "with --status: show it as JSON"),
            ProgramOption("update", help: "run esets_update"),
            // Roles in which the daemon starts itself: see ManagerProgram.
            ProgramOption("detached", help: "background half of the start", isHidden: true),
            ProgramOption("scanner", help: "scanning process", isHidden: true),
            ProgramOption("worker", .value("N"), help: "its number", isHidden: true),
            ProgramOption("threads", .value("N"), help: "its threads", isHidden: true),
            ProgramOption("alone", help: "serves one request", isHidden: true),
            ProgramOption("canary", .value("N"), help: "tries a generation", isHidden: true),
            ProgramOption("samples", .value("N"), help: "objects that it must survive", isHidden: true),
            ProgramOption("reference", .value("N"), help: "the generation that it is compared with", isHidden: true),
            ProgramOption("slowdown", .value("PERCENT"), help: "of its time that it may take", isHidden: true),
            ProgramOption("user", .value("NAME"), help: "unprivileged user", isHidden: true),
            ProgramOption("keep-object", .value("FILE"), help: "copies an object", isHidden: true),
            ProgramOption("launch", .value("USER"), help: "becomes an agent", isHidden: true),
        ],
        operands: Program.anyNumber,
        notes: """
            Exit status: 0 all is well, 1 the start or the command failed, 2 the daemon is already running, 64 wrong usage.
            """)

    static func main() {
        let arguments = program.arguments()
        if let user = arguments.value("launch") { Launch.run(user: user, command: arguments.operands) }
        guard arguments.operands.isEmpty else {
            program.fail(usage: UsageError("unexpected argument \"\(arguments.operands[0])\""))
        }
        let paths = Paths(root: arguments.root, configurationFile: arguments.configurationFile)
        if arguments.has("scanner") || arguments.has("canary") {
            ScannerRole(arguments: arguments, paths: paths).run()
        }
        if let path = arguments.value("keep-object") { KeepRole.run(path) }
        let commands = Commands(program: program, paths: paths)
        if arguments.has("status") { commands.status(asJSON: arguments.has("json")) }
        if arguments.has("stop") { commands.stop() }
        if arguments.has("reload") { commands.reload() }
        if arguments.has("update") { commands.update(arguments) }
        StartCommand(program: program, arguments: arguments, paths: paths).run()
    }
}
