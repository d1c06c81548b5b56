import AgentKit
import Programs

let program = Program(
    "esets_clamd", "Scan for programs that know clamd's protocol.", usage: "[OPTIONS..]",
    options: [ProgramOption("foreground", help: "log to standard error")],
    notes: "Started by esets_daemon. SIGHUP reads the configuration again, SIGTERM ends when no scan is under way.")

AgentProcess.run(ClamdService.self, program, program.arguments())
