import AgentKit
import Programs

let program = Program(
    "esets_mird", "Serve the mirror of update files over HTTP or HTTPS.", usage: "[OPTIONS..]",
    options: [
        ProgramOption("foreground", help: "log to standard error"),
        ProgramOption("status", help: "show what the running mirror did, as name=value lines, and what it holds"),
        ProgramOption("json", help: "with --status: show it as JSON"),
        ProgramOption("prometheus", help: "with --status: show it in the text format of Prometheus"),
    ],
    notes: "Started by esets_daemon. SIGHUP reads the configuration again, SIGTERM ends when the last answer is sent.")

let arguments = program.arguments()
if arguments.has("status") { StatusCommand.run(program, arguments) }
AgentProcess.run(MirrorService.self, program, arguments)
