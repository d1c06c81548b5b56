// esets_cli: scans the files of its arguments and tells by its output and exit code what becomes of them.

import Configuration
import Glibc
import Logging
import Mail
import OnDemand
import Platform
import Programs
import Quarantine
import ScanClient

let program = Program(
    "esets_cli", "Scans files for mail filters such as amavisd-new; alters nothing.", usage: "[OPTIONS..] FILES..",
    options: [
        ProgramOption("subdir", .toggle, help: "go into directories below the given ones (default)"),
        ProgramOption("exclude", .value("MASK"), help: "leave out paths that match, e.g. '*.log'; may be repeated"),
    ], operands: 1...Int.max,
    notes: """
        For each file a line PATH: action="ACTION", and for each infected one PATH: virus="NAME".
        Exit status: 0 accepted, 1 deferred, 2 discarded, 3 rejected (the worst of all files);
        100 nothing was blocked, but something could not be scanned; 64 wrong usage.
        """)

let arguments = program.arguments()
let paths = Paths(root: arguments.root, configurationFile: arguments.configurationFile)
let configuration: Configuration
do throws(ConfigurationError) {
    configuration = try Configuration.load(paths: paths)
} catch {
    program.fail("\(error)", code: CommandLineRun.errorCode)
}

let settings = configuration.settings(for: "cli")
let scanner = ScanConnection(path: configuration.daemonSocket, agent: "cli")
var run = CommandLineRun(
    scanner: scanner, settings: settings, quarantine: QuarantineStore(directory: paths.quarantineDirectory),
    log: Log(program: program.name, settings: configuration.global, paths: paths),
    print: { Console.print($0) }, complain: { Console.error($0) })
var selection = FileSelection()
selection.recursive = arguments.toggle("subdir") ?? true
selection.excluded = (settings.list("av_exclude") + arguments.values("exclude")).map { PathMask($0) }
run.scan(arguments.operands, selection)
let counted = run.counters.values
if !counted.isEmpty { try? scanner.count(counted) }
exit(run.exitCode)
