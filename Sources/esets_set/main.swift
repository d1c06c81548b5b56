// esets_set: reads and changes the configuration file (reference: esets_set(8)).

import Configuration
import Glibc
import Platform
import Programs

let program = Program(
    "esets_set", "Shows and changes the configuration of esets.",
    usage: "[OPTIONS..] [COMMANDS..] [NAME = VALUE]",
    options: [
        ProgramOption("set", .value("'NAME = VALUE'"), help: "set a parameter; NAME alone removes it"),
        ProgramOption("create", help: "make the section"),
        ProgramOption("delete", help: "remove the section"),
        ProgramOption("last", help: "move the section behind all others"),
        ProgramOption("apply", .value("FILE"), help: "take over the whole content of FILE"),
        ProgramOption("backup", .value("FILE"), help: "save the configuration as it was to FILE"),
        ProgramOption("get", .value("NAME"), help: "show the value that is in force"),
        ProgramOption("list", .optionalValue("all"), help: "show what is set; with =all the defaults too"),
        ProgramOption("check", help: "say what is wrong with the configuration"),
        ProgramOption("print-default", help: "show the shipped configuration file"),
        ProgramOption("print-manual", help: "show the parameters as mdoc", isHidden: true),
        ProgramOption("section", .value("SECTION"), help: "section that is meant (global)"),
        ProgramOption("user", .value("USERSPEC"), help: "section of the user file that is meant"),
    ], operands: 0...3,
    notes: """
        Commands are carried out in their order and saved together, or not at all if a value is wrong.
        Exit status: 0 done, 1 nothing was changed, 64 wrong usage.
        """)

let arguments = program.arguments()
let paths = Paths(root: arguments.root, configurationFile: arguments.configurationFile)

if arguments.has("print-default") {
    Console.write(DefaultConfiguration.text)
    exit(ExitCode.success)
}

if arguments.has("print-manual") {
    Console.write(ParameterManual.text)
    exit(ExitCode.success)
}

do throws(UsageError) {
    let request = try Request(arguments)
    exit(request.run(paths))
} catch {
    program.fail(usage: error)
}
