import Configuration
import DataModule
import Glibc
import JSON
import Platform
import Programs
import SignatureCompiler
import Updates

/// `--check`: compiles the files that are named, installs nothing, and reports.
struct CheckCommand {
    private let arguments: Arguments
    private let paths: Paths

    init(_ arguments: Arguments) {
        self.arguments = arguments
        paths = Paths(root: arguments.root, configurationFile: arguments.configurationFile)
    }

    func run() {
        guard !arguments.operands.isEmpty else {
            Main.program.fail(usage: UsageError("--check needs files or folders"))
        }
        let sources = SignatureSources(temporary: temporaryDirectory)
        do throws(UpdateError) {
            try sources.trust(certificates: "\(paths.certificatesDirectory)/signatures")
            for operand in arguments.operands { try add(operand, to: sources) }
        } catch {
            Main.program.fail(error.description, code: ExitCode.noInput)
        }
        // From here on hostile content is parsed.
        CompileCommand.giveUpPowers(as: geteuid() == 0 ? UserAccount.unprivileged()?.name : nil)
        let refused: [SignatureSources.Refused]
        do throws(UpdateError) { refused = try sources.unpack() } catch {
            Main.program.fail(error.description, code: ExitCode.cannotCreate)
        }
        let result = compile(sources)
        if arguments.has("json") {
            Console.print(json(result.report, size: result.size, refused, sources.superseded).text(.pretty))
        } else {
            tell(result.report, size: result.size, refused, sources.superseded)
        }
        exit(result.report.malformedCount == 0 && refused.isEmpty ? ExitCode.success : ExitCode.data)
    }

    private var temporaryDirectory: String {
        (try? Configuration.load(paths: paths))?.global.text("tmp_dir") ?? "/tmp"
    }

    private func add(_ operand: String, to sources: SignatureSources) throws(UpdateError) {
        var status = stat()
        guard stat(operand, &status) == 0 else {
            throw UpdateError(.sources, "\(operand): there is no such file")
        }
        guard status.st_mode & S_IFMT == S_IFREG || status.st_mode & S_IFMT == S_IFDIR else {
            throw UpdateError(.sources, "\(operand): it is neither a file nor a folder")
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            try sources.add(operand, as: Files.name(of: operand))
            return
        }
        for name in try MirrorDirectory(operand).files(in: operand) { try sources.add("\(operand)/\(name)", as: name) }
    }

    private func compile(_ sources: SignatureSources) -> (report: CompileReport, size: Int) {
        let showsProgress = isatty(STDERR_FILENO) == 1
        let count = sources.files.count
        do {
            let result = try SignatureCompiler.compile(sources.files, version: 1, listsAll: arguments.has("verbose")) {
                done, name in
                // One line that is written over; short files do not flicker.
                guard showsProgress, count > 1 else { return }
                Self.show("\r\u{1b}[K[\(done + 1)/\(count)] \(name)")
            }
            if showsProgress, count > 1 { Self.show("\r\u{1b}[K") }
            return (result.report, result.database.size)
        } catch {
            Main.program.fail("\(error)", code: ExitCode.software)
        }
    }

    /// Text on standard error without a line end.
    private static func show(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }

    // MARK: For people

    private func tell(
        _ report: CompileReport, size: Int, _ refused: [SignatureSources.Refused], _ superseded: [String]
    ) {
        let isVerbose = arguments.has("verbose")
        for container in refused { Console.print("\(container.file): refused: \(container.reason)") }
        for name in superseded { Console.print("\(name): left out, there is a newer one of this name") }
        let shown = report.malformed.prefix(isVerbose ? .max : 20)
        for problem in shown { Console.print("\(problem)") }
        if report.malformedCount > shown.count {
            Console.print("and \(report.malformedCount - shown.count) more malformed lines")
        }
        if isVerbose { for problem in report.unsupported { Console.print("\(problem): not evaluated") } }
        for file in report.files where isVerbose || report.files.count <= 200 { Console.print(line(file)) }
        for (reason, count) in report.unsupportedReasons.sorted(by: { $0.key < $1.key }) {
            Console.print("\(count) not evaluated: \(reason)")
        }
        Console.print(
            "\(counted(report.signatures, "signature")) from \(counted(report.files.count, "file")), "
                + "\(counted(report.malformedCount, "malformed line")), "
                + "\(report.unsupportedCount) not evaluated, \(report.ignored) ignored; a database of \(size) bytes")
    }

    private func counted(_ number: Int, _ what: String) -> String { "\(number) \(what)\(number == 1 ? "" : "s")" }

    private func line(_ file: CompileReport.FileCount) -> String {
        var line = "\(file.name): \(counted(file.signatures, "signature"))"
        if file.malformed > 0 { line += ", \(file.malformed) malformed" }
        if file.unsupported > 0 { line += ", \(file.unsupported) not evaluated" }
        if file.ignored > 0 { line += ", \(file.ignored) ignored" }
        return line
    }

    // MARK: For programs

    private func json(
        _ report: CompileReport, size: Int, _ refused: [SignatureSources.Refused], _ superseded: [String]
    ) -> JSONValue {
        .object([
            "signatures": .integer(Int64(report.signatures)),
            "malformed": .integer(Int64(report.malformedCount)),
            "not_evaluated": .integer(Int64(report.unsupportedCount)),
            "ignored": .integer(Int64(report.ignored)),
            "database_size": .integer(Int64(size)),
            "files": .array(
                report.files.map { file in
                    .object([
                        "name": .string(file.name), "signatures": .integer(Int64(file.signatures)),
                        "malformed": .integer(Int64(file.malformed)),
                        "not_evaluated": .integer(Int64(file.unsupported)), "ignored": .integer(Int64(file.ignored)),
                    ])
                }),
            "reasons": .object(report.unsupportedReasons.mapValues { .integer(Int64($0)) }),
            "malformed_lines": .array(report.malformed.map(json)),
            "not_evaluated_lines": .array(arguments.has("verbose") ? report.unsupported.map(json) : []),
            "refused": .array(refused.map { .object(["name": .string($0.file), "reason": .string($0.reason)]) }),
            "superseded": .array(superseded.map { .string($0) }),
        ])
    }

    private func json(_ problem: CompileReport.Problem) -> JSONValue {
        .object([
            "file": .string(problem.file), "line": .integer(Int64(problem.line)), "reason": .string(problem.reason),
        ])
    }
}
