import Programs

@main
struct Main {
    static let program = Program(
        "esets_mod", "Lists, shows, verifies and signs scanner modules.",
        usage: "[OPTIONS..] COMMAND [FILES..]",
        options: [
            ProgramOption("generation", .value("N"), help: "work on this generation instead of the current one"),
            ProgramOption("key", .value("FILE"), help: "private key to sign with, or to make (keygen)"),
            ProgramOption("public", .value("FILE"), help: "where keygen writes the public key"),
            ProgramOption(
                "find", .value("TEXT"), help: "with show: the signatures whose name has this, or fits * and ?"),
            ProgramOption("json", help: "print JSON"),
        ],
        operands: 1...Int.max,
        notes: """
            Commands:
              list               the modules of the generation
              show MODULE|FILE   what a module says about itself, e.g. esets_mod show em002
              diff OLD NEW       which signatures came and went between two databases
              verify [FILES..]   every byte of the generation, or of these files; runs the self-tests
              sign FILES..       sign code modules with --key
              keygen             make the keys of this installation (those that are missing), or the pair
                                 --key and --public

            Exit status: 0 all is well, 1 a module is refused, 64 wrong usage, 66 a file cannot be read.
            """)

    static func main() {
        let arguments = program.arguments()
        var operands = arguments.operands
        let command = operands.removeFirst()
        let context = Context(arguments)
        switch command {
        case "list": ListCommand(context).run(operands)
        case "show": ShowCommand(context).run(operands)
        case "diff": CatalogueCommands(context).diff(operands)
        case "verify": VerifyCommand(context).run(operands)
        case "sign": SignCommand(context).run(operands)
        case "keygen": KeygenCommand(context).run(operands)
        default:
            program.fail(usage: UsageError("unknown command \"\(command)\": list, show, diff, verify, sign or keygen"))
        }
    }
}
