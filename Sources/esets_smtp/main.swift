import AgentKit
import Programs

let program = Program(
    "esets_smtp", "Scan the mail that passes through an SMTP connection.", usage: "[OPTIONS..]",
    options: [ProgramOption("foreground", help: "log to standard error")],
    notes: "Started by esets_daemon. SIGHUP reads the configuration again, SIGTERM ends when no message is under way.")

AgentProcess.run(SMTPService.self, program, program.arguments())
