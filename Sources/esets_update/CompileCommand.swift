import Glibc
import Platform
import Programs
import SignatureCompiler
import Updates

/// The compiler process: gives up everything it does not need, then compiles one module.
struct CompileCommand {
    /// What the largest databases that are known need, several times over.
    private static let memory: UInt64 = 16 << 30

    private let arguments: Arguments

    init(_ arguments: Arguments) {
        self.arguments = arguments
    }

    func run() {
        guard let module = arguments.value("compile"), let output = arguments.value("output"),
            let mirror = arguments.value("mirror"), let digest = arguments.value("digest"),
            let version = arguments.value("database-version").flatMap({ UInt64($0) })
        else { Main.program.fail(usage: UsageError("--compile is for esets_update itself")) }
        Self.giveUpPowers(as: arguments.value("as"))
        try? Privileges.endWithParent()
        var confinement = Confinement()
        confinement.writable = [Files.parent(of: output)]
        confinement.readable = [mirror, arguments.value("certificates") ?? "", arguments.value("sources") ?? ""]
        let missing = confinement.enter()
        if getenv("ESETS_UPDATE_VERBOSE") != nil { for sentence in missing { Console.error(sentence) } }
        do throws(UpdateError) {
            let state = try arguments.value("sources").map { path throws(UpdateError) in try SourceState.load(path) }
            let mirror = MirrorDirectory(mirror, state: state ?? SourceState())
            switch module {
            case "em002":
                tell(
                    try ModuleCompiler.compileSignatures(
                        mirror, version: version, digest: digest, certificates: arguments.value("certificates"),
                        to: output))
            case "em006":
                for line in try ModuleCompiler.compileAntispam(mirror, version: version, digest: digest, to: output) {
                    Console.error(line)
                }
            default: Main.program.fail(usage: UsageError("there is no compiler for \(module)"))
            }
        } catch {
            Main.program.fail(error.description)
        }
    }

    /// Leaves what a parser of hostile sources must not have; becomes the user, when one is named and this is root.
    static func giveUpPowers(as name: String?) {
        do throws(SystemError) {
            if geteuid() == 0 {
                // In a container the network may not be ours to leave; the compiler opens no sockets anyway.
                try? Privileges.leaveNetwork()
                if let name, let user = UserAccount(named: name) { try user.become() }
            }
            try Privileges.gainNoMore()
            try Privileges.limit(
                processorSeconds: 1_800, seconds: 3_600, memory: CompileCommand.memory, fileSize: CompileCommand.memory)
        } catch {
            Main.program.fail(error.description, code: ExitCode.system)
        }
    }

    /// Problems of the sources go to standard error, which is the update's.
    private func tell(_ report: CompileReport) {
        let verbose = getenv("ESETS_UPDATE_VERBOSE") != nil
        for problem in report.malformed.prefix(verbose ? .max : 20) { Console.error("\(problem)") }
        if verbose { for problem in report.unsupported { Console.error("\(problem): not used") } }
        if report.malformedCount > 0 { Console.error("\(report.malformedCount) malformed lines were left out") }
        for (reason, count) in report.unsupportedReasons.sorted(by: { $0.key < $1.key }) {
            Console.error("\(count) signatures are not used: \(reason)")
        }
    }
}
