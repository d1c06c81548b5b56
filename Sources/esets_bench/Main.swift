import Glibc
import Programs

/// Measurements of the engine and the module host that need to look inside one process. For tools/bench; not installed.
@main
struct Main {
    static let program = Program(
        "esets_bench", "Measures the engine, and swaps and loading of modules, inside one process.",
        usage: "[OPTIONS..] swap|load|compile|scan",
        options: [
            ProgramOption("count", .value("N"), help: "number of swaps (10000)"),
            ProgramOption("size", .value("MB"), help: "size of the data module for load (500)"),
            ProgramOption("signatures", .value("DIR"), help: "signature files for compile"),
            ProgramOption("corpus", .value("DIR"), help: "files for scan"),
            ProgramOption("threads", .value("N"), help: "threads that scan (1)"),
            ProgramOption("limit", .value("N"), help: "scan so many files of the directory, spread over it (all)"),
            ProgramOption("rounds", .value("N"), help: "times that they are scanned (1)"),
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
            case "compile":
                guard let directory = arguments.value("signatures") else {
                    throw UsageError("compile --signatures=DIR")
                }
                EngineCompile(bench).run(signatures: directory)
            case "scan":
                guard let directory = arguments.value("corpus") else { throw UsageError("scan --corpus=DIR") }
                EngineScan(bench).run(
                    directory: directory, threads: try arguments.number("threads", in: 1...256) ?? 1,
                    limit: try arguments.number("limit", in: 0...100_000_000) ?? 0,
                    rounds: try arguments.number("rounds", in: 1...1_000_000) ?? 1)
            default: throw UsageError("swap, load, compile or scan")
            }
        } catch {
            program.fail(usage: error)
        }
    }
}
