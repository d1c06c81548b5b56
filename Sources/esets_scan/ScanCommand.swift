import Configuration
import Glibc
import Mail
import OnDemand
import Platform
import Programs
import Quarantine
import ScanClient
import ScanProtocol

/// One call of esets_scan.
struct ScanCommand {
    private static let switches: [(option: String, parameter: String, help: String)] = [
        ("files", "av_scan_obj_files", "scan files"),
        ("arch", "av_scan_obj_archives", "scan archives"),
        ("mail", "av_scan_obj_emails", "scan messages"),
        ("mailbox", "av_scan_obj_emails", "scan mailboxes; same as --mail"),
        ("sfx", "av_scan_obj_sfx", "scan self-extracting archives"),
        ("rtp", "av_scan_obj_rtp", "scan runtime packers"),
        ("pattern", "av_scan_pattern", "use signatures"),
        ("heur", "av_scan_heur", "use heuristics"),
        ("adv-heur", "av_scan_adv_heur", "use advanced heuristics"),
        ("adware", "av_scan_app_adware", "report adware"),
        ("unwanted", "av_scan_app_unwanted", "report potentially unwanted applications"),
        ("unsafe", "av_scan_app_unsafe", "report potentially unsafe applications"),
    ]
    private static let limits: [(option: String, parameter: String, label: String, help: String)] = [
        ("scan-timeout", "av_scan_timeout", "S", "give up an object after S seconds; 0 = no limit"),
        ("max-obj-size", "av_scan_max_obj_size", "BYTES", "leave out larger objects; 0 = no limit"),
        ("max-arch-level", "av_scan_max_arch_level", "N", "how deep archives in archives are scanned"),
        ("max-arch-size", "av_scan_max_arch_size", "BYTES", "leave out larger members of archives; 0 = no limit"),
    ]

    static let program = Program(
        "esets_scan", "Scans files and directories on demand.", usage: "[OPTIONS..] FILES..",
        options: [
            ProgramOption(
                "clean-mode", .value("MODE"),
                help: "what becomes of infected files: none, standard (default), strict, rigorous, delete"),
            ProgramOption("quarantine", .toggle, help: "copy infected files to the quarantine first"),
            ProgramOption("quar-dir", .value("DIR"), help: "quarantine directory in place of the configured one"),
            ProgramOption("log-file", .value("FILE"), help: "write the output to FILE too"),
            ProgramOption("log-rewrite", .toggle, help: "begin the log file anew"),
            ProgramOption("log-all", .toggle, help: "name clean files too"),
            ProgramOption("log-console", .toggle, help: "write to standard output (default)"),
            ProgramOption("aind", .toggle, help: "show progress on a terminal (default)"),
            ProgramOption("json", help: "write one JSON object a line"),
            ProgramOption("all-matches", .toggle, help: "name every signature that matches a file, not only the first"),
            ProgramOption("subdir", .toggle, help: "go into directories below the given ones (default)"),
            ProgramOption("max-subdir-level", .value("N"), help: "levels of directories; 0 = no limit"),
            ProgramOption("symlink", .toggle, help: "follow symbolic links (default)"),
            ProgramOption("exclude", .value("MASK"), help: "leave out paths that match; may be repeated"),
            ProgramOption("ext", .value("LIST"), help: "scan only files with these extensions, e.g. exe:doc"),
            ProgramOption("ext-exclude", .value("LIST"), help: "do not scan files with these extensions"),
            ProgramOption("threads", .value("N"), help: "files that are scanned at once (num_thrd)"),
            ProgramOption("preserve-time", .toggle, help: "keep the time of last access of files"),
        ] + switches.map { ProgramOption($0.option, .toggle, help: $0.help) }
            + limits.map { ProgramOption($0.option, .value($0.label), help: $0.help) } + [
                ProgramOption("max-sfx-size", .value("BYTES"), help: "same as --max-arch-size", isHidden: true),
                ProgramOption("suspicious", .toggle, help: "accepted for old callers", isHidden: true),
                ProgramOption("ads", .toggle, help: "accepted for old callers", isHidden: true),
                ProgramOption("profile", .value("NAME"), help: "accepted for old callers", isHidden: true),
                ProgramOption("base-dir", .value("DIR"), help: "accepted for old callers", isHidden: true),
            ], operands: 1...Int.max,
        notes: """
            Exit status: 0 no threat, 1 all threats removed, 10 some files could not be scanned,
            50 a threat is left, 64 wrong usage, 100 error.
            """)

    private let arguments: Arguments
    private let cleanMode: CleanMode
    private var selection = FileSelection()
    private var numbers: [String: Int64] = [:]
    /// nil: as many as `num_thrd` says.
    private let threads: Int?

    init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        let mode = try arguments.choice("clean-mode", CleanMode.allCases.map(\.rawValue))
        cleanMode = mode.flatMap(CleanMode.init) ?? .standard
        threads = try arguments.number("threads", in: 1...256)
        for item in Self.switches {
            if let value = arguments.toggle(item.option) { numbers[item.parameter] = value ? 1 : 0 }
        }
        for item in Self.limits {
            if let value = try arguments.number(item.option, in: 0...(1 << 50)) {
                numbers[item.parameter] = Int64(value)
            }
        }
        selection.recursive = arguments.toggle("subdir") ?? true
        selection.deepest = try arguments.number("max-subdir-level", in: 0...100_000) ?? 0
        selection.followsLinks = arguments.toggle("symlink") ?? true
        selection.extensions = Self.extensions(arguments, "ext")
        selection.excludedExtensions = Self.extensions(arguments, "ext-exclude")
    }

    private static func extensions(_ arguments: Arguments, _ name: String) -> Set<String> {
        FileSelection.extensions(
            arguments.values(name).flatMap { $0.split { $0 == ":" || $0 == "," }.map(String.init) })
    }

    /// Scans, and returns the exit code.
    func run() -> Int32 {
        Interruption.install()
        let paths = Paths(root: arguments.root, configurationFile: arguments.configurationFile)
        let writer: ScanWriter
        do throws(SystemError) {
            writer = try ScanWriter(arguments)
        } catch {
            return fail("the log file cannot be written: \(error)")
        }
        let configuration: Configuration
        do throws(ConfigurationError) {
            configuration = try Configuration.load(paths: paths)
        } catch {
            return fail("\(error)")
        }
        let settings = configuration.global
        let socket = configuration.daemonSocket
        let makeScanner: @Sendable () -> ScanConnection = {
            ScanConnection(path: socket, agent: "scan", patience: .seconds(10))
        }
        do throws(ScanClientError) {
            writer.begin(try makeScanner().status())
            var run = FileScanRun(
                threads: threads ?? min(32, settings.number("num_thrd")), options: options(settings),
                cleaner: cleaner(paths), restoresTime: arguments.has("preserve-time"), output: writer,
                isInterrupted: { Interruption.happened }, makeScanner: makeScanner)
            try run.scan(arguments.operands, selection(settings))
            writer.end(run.totals)
            return run.totals.exitCode
        } catch {
            writer.failed()
            return fail("Scanner initialization failed. \(error.message)")
        }
    }

    private func fail(_ message: String) -> Int32 {
        Console.error("\(Self.program.name): \(message)")
        return 100
    }

    private func options(_ settings: Settings) -> ScanOptions {
        var options = ScanOptions(settings: settings)
        // Signatures and heuristics are what this program is for, whatever action_av is.
        for name in ["av_scan_pattern", "av_scan_heur", "av_scan_adv_heur"] {
            options.numbers[name] = settings.flag(name) ? 1 : 0
        }
        options.numbers["antispam"] = 0
        options.reportsAllMatches = arguments.toggle("all-matches") ?? false
        options.numbers.merge(numbers) { $1 }
        return options
    }

    private func cleaner(_ paths: Paths) -> FileCleaner {
        let directory = arguments.value("quar-dir").map(Arguments.absolute) ?? paths.quarantineDirectory
        return FileCleaner(
            mode: cleanMode, quarantine: arguments.has("quarantine") ? QuarantineStore(directory: directory) : nil)
    }

    private func selection(_ settings: Settings) -> FileSelection {
        var selection = selection
        selection.excluded = (settings.list("av_exclude") + arguments.values("exclude")).map { PathMask($0) }
        if selection.extensions.isEmpty {
            selection.extensions = FileSelection.extensions(settings.list("av_scan_ext"))
        }
        if selection.excludedExtensions.isEmpty {
            selection.excludedExtensions = FileSelection.extensions(settings.list("av_scan_ext_exclude"))
        }
        return selection
    }
}
