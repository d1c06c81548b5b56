import Programs

@main
struct Main {
    static let program = Program(
        "esets_update", "Compiles the modules from the local mirror and offers them to the running daemon.",
        usage: "[OPTIONS..] | --check [OPTIONS..] FILES..",
        options: [
            ProgramOption("base-dir", .value("DIR"), help: "where the modules go (base_dir of the configuration)"),
            ProgramOption("mirror", .value("DIR"), help: "the local mirror (av_mirror_dir of the configuration)"),
            ProgramOption("force", help: "compile everything, even what did not change"),
            ProgramOption("check", help: "compile these signature files and folders, install nothing, and report"),
            ProgramOption("verbose", help: "list every line of the sources that was not used, with the reason"),
            ProgramOption("json", help: "print the result as JSON"),
            ProgramOption("server", .value("URL"), help: "update server (not in this version)", isHidden: true),
            ProgramOption("username", .value("NAME"), help: "", isHidden: true),
            ProgramOption("password", .value("TEXT"), help: "", isHidden: true),
            // What the compiler process is started with; see CompilerProcess.
            ProgramOption("compile", .value("MODULE"), help: "", isHidden: true),
            ProgramOption("output", .value("FILE"), help: "", isHidden: true),
            ProgramOption("database-version", .value("N"), help: "", isHidden: true),
            ProgramOption("digest", .value("HEX"), help: "", isHidden: true),
            ProgramOption("certificates", .value("DIR"), help: "", isHidden: true),
            ProgramOption("as", .value("USER"), help: "", isHidden: true),
        ],
        operands: Program.anyNumber,
        notes: """
            A new generation is checked by a canary process of the daemon before it is used; one that fails any check
            is refused with the reason, and the modules in use stay.

            Exit status: 0 updated or current, 1 sources cannot be read or the daemon cannot be reached,
            3 a module is refused, 64 wrong usage, 75 another update is running, 78 the configuration is wrong.
            With --check: 0 every line is right, 65 lines are malformed or a container is refused, 66 a file cannot
            be read.
            """)

    static func main() {
        let arguments = program.arguments()
        if arguments.has("check") {
            CheckCommand(arguments).run()
            return
        }
        guard arguments.operands.isEmpty else {
            program.fail(usage: UsageError("files are for --check; an update takes them from the mirror"))
        }
        if arguments.value("compile") != nil {
            CompileCommand(arguments).run()
        } else {
            UpdateCommand(arguments).run()
        }
    }
}
