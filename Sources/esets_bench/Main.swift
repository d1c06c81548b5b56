import Glibc
import Programs

/// Measurements of the module host that need to look inside one process. For tools/bench; not installed.
@main
struct Main {
    static let program = Program(
        "esets_bench", "Measures swaps and loading of modules inside one process.",
        usage: "[OPTIONS..] swap|load",
        options: [
            ProgramOption("count", .value("N"), help: "number of swaps (10000)"),
            ProgramOption("size", .value("MB"), help: "size of the data module for load (500)"),
            ProgramOption("make", .value("N"), help: "", isHidden: true),
        ],
        operands: 1...1,
        notes: """
            Works on the tree of --root, which tools/install made and esets_update has filled; its generations are
            replaced: use a tree of its own.
            """)

    static func main() {
        let arguments = program.arguments()
        do throws(UsageError) {
            let bench = Bench(arguments)
            switch arguments.operands[0] {
            case "swap":
                if let count = try arguments.number("make", in: 1...1_000_000) {
                    GenerationMaker(bench).run(count: count)
                } else {
                    SwapBench(bench).run(count: try arguments.number("count", in: 1...1_000_000) ?? 10_000)
                }
            case "load": LoadBench(bench).run(megabytes: try arguments.number("size", in: 1...100_000) ?? 500)
            default: throw UsageError("swap or load")
            }
        } catch {
            program.fail(usage: error)
        }
    }
}
