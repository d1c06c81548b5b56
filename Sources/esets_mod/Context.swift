import Configuration
import Generations
import Platform
import Programs

/// What every command works with: the installation, its keys, the chosen generation.
struct Context {
    let arguments: Arguments
    let paths: Paths
    let store: GenerationStore

    init(_ arguments: Arguments) {
        self.arguments = arguments
        paths = Paths(root: arguments.root, configurationFile: arguments.configurationFile)
        store = GenerationStore(base: Self.baseDirectory(paths))
    }

    /// Option base_dir, where the configuration can be read; modules can be looked at without one.
    private static func baseDirectory(_ paths: Paths) -> String {
        guard let configuration = try? Configuration.load(paths: paths) else { return paths.baseDirectory }
        return paths.resolve(configuration.settings(for: "global").text("base_dir"))
    }

    var printsJSON: Bool { arguments.has("json") }

    func trust() -> Trust {
        do throws(GenerationError) {
            return try Trust(directory: paths.certificatesDirectory)
        } catch {
            Main.program.fail(error.description, code: ExitCode.noInput)
        }
    }

    /// The number of the generation that --generation names, or the current one.
    func generation() -> UInt64 {
        if let text = arguments.value("generation") {
            guard let number = UInt64(text) else {
                Main.program.fail(usage: UsageError("--generation must be a number, not \"\(text)\""))
            }
            guard Files.exists(store.path(number)) else {
                Main.program.fail("\(store.path(number)): there is no such generation", code: ExitCode.noInput)
            }
            return number
        }
        guard let current = store.current else {
            Main.program.fail(
                "\(store.directory): no generation is installed yet; run esets_update", code: ExitCode.noInput)
        }
        return current
    }

    /// "em002", "em002_64.dat" or a path → a path that can be opened.
    func path(of module: String) -> String {
        if module.contains("/") || Files.exists(module) { return module }
        let name = module.hasSuffix(".dat") ? module : "\(module)_64.dat"
        return "\(store.path(generation()))/\(name)"
    }

    func map(_ path: String) -> Mapping {
        do throws(SystemError) {
            return try Mapping(path: path)
        } catch {
            let text = error.subject.isEmpty ? "\(path): \(error.description)" : error.description
            Main.program.fail(text, code: ExitCode.noInput)
        }
    }
}
