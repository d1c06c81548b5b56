import Programs

@main
struct Main {
    static let program = Program(
        "esets_update", "Fetches updates, compiles the modules, and offers them to the running daemon.",
        usage: "[OPTIONS..] | --check FILES.. | --list | --rollback[=N]",
        options: [
            ProgramOption("server", .value("URL"), help: "update server in place of those of the configuration"),
            ProgramOption("username", .value("NAME"), help: "user name there (av_update_username)"),
            ProgramOption("password", .value("TEXT"), help: "password there (av_update_password)"),
            ProgramOption(
                "offline", .value("DIR"), help: "take updates from a copy of a mirror's folder, not from servers"),
            ProgramOption("no-fetch", help: "ask no server: compile what is in the mirror"),
            ProgramOption("jitter", .value("SECONDS"), help: "wait a random time first, so many seconds at most"),
            ProgramOption("force", help: "ask every server, and compile everything, even what did not change"),
            ProgramOption("list", help: "list the generations that are there, and the sources"),
            ProgramOption("rollback", .optionalValue("N"), help: "use generation N again, or the one before"),
            ProgramOption("check", help: "compile these signature files and folders, install nothing, and report"),
            ProgramOption("base-dir", .value("DIR"), help: "where the modules go (base_dir of the configuration)"),
            ProgramOption("mirror", .value("DIR"), help: "the local mirror (av_mirror_dir of the configuration)"),
            ProgramOption("verbose", help: "tell every problem of servers, and every line that was not used"),
            ProgramOption("json", help: "print the result as JSON"),
            // What the fetching and compiling processes are started with; see FetcherProcess and CompilerProcess.
            ProgramOption("fetch", help: "", isHidden: true),
            ProgramOption("compile", .value("MODULE"), help: "", isHidden: true),
            ProgramOption("output", .value("FILE"), help: "", isHidden: true),
            ProgramOption("database-version", .value("N"), help: "", isHidden: true),
            ProgramOption("digest", .value("HEX"), help: "", isHidden: true),
            ProgramOption("certificates", .value("DIR"), help: "", isHidden: true),
            ProgramOption("sources", .value("FILE"), help: "", isHidden: true),
            ProgramOption("as", .value("USER"), help: "", isHidden: true),
        ],
        operands: Program.anyNumber,
        notes: """
            A new generation is checked by a canary process of the daemon before it is used; one that fails any check
            is refused with the reason, and the modules in use stay.

            Exit status: 0 updated or current, 1 something could not be fetched or written (what else is new is
            installed), 2 a server wants other credentials, 3 a module is refused, 64 wrong usage, 75 another update is
            running, 78 the configuration is wrong.
            With --check: 0 every line is right, 65 lines are malformed or a container is refused, 66 a file cannot
            be read.
            """)

    static func main() {
        let arguments = program.arguments()
        if arguments.has("fetch") {
            FetchCommand(arguments).run()
        } else if arguments.value("compile") != nil {
            CompileCommand(arguments).run()
        } else if arguments.has("check") {
            CheckCommand(arguments).run()
        } else if arguments.has("rollback") {
            guard arguments.operands.count <= 1 else { program.fail(usage: UsageError("--rollback takes one number")) }
            RollbackCommand(arguments).run()
        } else {
            guard arguments.operands.isEmpty else {
                program.fail(usage: UsageError("files are for --check; an update takes them from the mirror"))
            }
            if arguments.has("list") { return ListCommand(arguments).run() }
            Jitter.wait(arguments)
            UpdateCommand(arguments).run()
        }
    }
}
