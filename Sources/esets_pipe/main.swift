// esets_pipe: takes a message on standard input, and writes it to standard output when it is accepted.

import Configuration
import Glibc
import Logging
import Mail
import OnDemand
import Platform
import Programs
import ScanClient

let program = Program(
    "esets_pipe", "Scans the message on standard input and writes it to standard output if it is accepted.",
    usage: "[OPTIONS..] < MESSAGE",
    options: [
        ProgramOption("sender", .value("ADDRESS"), help: "envelope sender; empty for bounces"),
        ProgramOption("recipient", .value("ADDRESS"), help: "envelope recipient; may be repeated"),
    ],
    notes: """
        Exit status: 0 accepted, 1 deferred, 2 discarded, 3 rejected (then nothing is written);
        75 it could not be scanned or written, try again later; 64 wrong usage.
        """)

/// "<a@example.org>" and "a@example.org" are the same.
func address(_ text: String) -> String {
    text.hasPrefix("<") && text.hasSuffix(">") ? String(text.dropFirst().dropLast()) : text
}

let arguments = program.arguments()
// A reader that has gone shall end in a failed write, not in a signal: the caller needs the exit code.
signal(SIGPIPE, SIG_IGN)
let paths = Paths(root: arguments.root, configurationFile: arguments.configurationFile)
let configuration: Configuration
do throws(ConfigurationError) {
    configuration = try Configuration.load(paths: paths)
} catch {
    program.fail("\(error)", code: ExitCode.temporary)
}

let log = Log(program: program.name, settings: configuration.global, paths: paths)
let scanner = ScanConnection(path: configuration.daemonSocket, agent: "pipe")
var run = PipeRun(
    scanner: scanner, configuration: configuration, log: log, host: Host.name,
    productVersion: Product.version)
do throws(PipeRun.Failure) {
    let message = try PipeInput.read(directory: configuration.global.text("tmp_dir"))
    let disposition = try run.process(
        message,
        PipeRun.Envelope(
            sender: arguments.value("sender").map(address), recipients: arguments.values("recipient").map(address)),
        to: try PipeInput.standardOutput())
    try? scanner.count(run.counters.values)
    exit(Int32(disposition.rawValue))
} catch {
    log.error("\(error)")
    program.fail("\(error)", code: ExitCode.temporary)
}
