import Fetching
import Platform
import Programs
import TUF
import TUFStore

/// A client of TUF repositories on a command line, with the library that `esets_update` uses: the one that the TUF
/// conformance suite tests (its CLIENT-CLI.md), and a tool to look at a repository from outside.
@main
struct Main {
    static let program = Program(
        "tuf_client", "Updates the metadata of a TUF repository, and downloads targets.",
        usage: "--metadata-dir=DIR [OPTIONS..] init ROOT | refresh | download",
        options: [
            ProgramOption("metadata-dir", .value("DIR"), help: "where trusted metadata is kept"),
            ProgramOption("metadata-url", .value("URL"), help: "where the repository has its metadata"),
            ProgramOption("target-name", .value("PATH"), help: "a target to download; may be repeated"),
            ProgramOption("target-dir", .value("DIR"), help: "where targets go"),
            ProgramOption("target-base-url", .value("URL"), help: "where the repository has its targets"),
        ],
        operands: 1...2,
        notes: """
            Commands:
              init ROOT   begin with this trusted root.json
              refresh     update the metadata of the top-level roles
              download    the same, and download the targets that are named

            Exit status: 0 done, 1 refused or failed, 64 wrong usage.
            """)

    static func main() {
        let arguments = program.arguments()
        guard let directory = arguments.value("metadata-dir") else { usage("--metadata-dir is missing") }
        let store = MetadataStore(directory: directory)
        switch (arguments.operands[0], arguments.operands.count) {
        case ("init", 2): initialize(store, root: arguments.operands[1])
        case ("refresh", 1):
            var session = Session(store: store, metadata: url(arguments, "metadata-url"))
            session.refresh()
        case ("download", 1):
            var session = Session(store: store, metadata: url(arguments, "metadata-url"))
            let base = url(arguments, "target-base-url")
            guard let folder = arguments.value("target-dir") else { usage("--target-dir is missing") }
            let names = arguments.values("target-name")
            guard !names.isEmpty else { usage("--target-name is missing") }
            for name in names { session.download(name, from: base, to: folder) }
        default: usage("the command must be init ROOT, refresh or download")
        }
    }

    static func usage(_ message: String) -> Never { program.fail(usage: UsageError(message)) }

    private static func url(_ arguments: Arguments, _ option: String) -> String {
        guard let text = arguments.value(option) else { usage("--\(option) is missing") }
        return text.hasSuffix("/") ? text : "\(text)/"
    }

    private static func initialize(_ store: MetadataStore, root path: String) {
        do {
            let root = try Files.read(path, limit: TUFLimits().root)
            _ = try TUFClient(trusted: TrustedMetadata(root: root), now: 0)
            try store.begin(root: root)
        } catch {
            program.fail("\(error)")
        }
    }
}
