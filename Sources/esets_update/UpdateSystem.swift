import Configuration
import Generations
import Platform
import Programs
import ScanClient
import ScanProtocol
import Updates

/// The installed system as updates see it: configuration, generations, keys, the daemon.
struct UpdateSystem {
    let paths: Paths
    let configuration: Configuration
    let store: GenerationStore
    private let arguments: Arguments

    init(_ arguments: Arguments) {
        self.arguments = arguments
        paths = Paths(root: arguments.root, configurationFile: arguments.configurationFile)
        do throws(ConfigurationError) {
            configuration = try Configuration.load(paths: paths)
        } catch {
            Main.program.fail(error.description, code: ExitCode.configuration)
        }
        store = GenerationStore(base: arguments.value("base-dir") ?? configuration.global.text("base_dir"))
    }

    /// The private generation key, and whose modules are believed.
    func keys() throws(UpdateError) -> (seed: [UInt8], trust: Trust) {
        do throws(GenerationError) {
            return (
                try Trust.readKey("\(paths.certificatesDirectory)/generation.key"),
                try Trust(directory: paths.certificatesDirectory)
            )
        } catch {
            throw UpdateError(error)
        }
    }

    /// Of the installed signatures; 0 without any.
    var databaseVersion: UInt64 {
        store.current.flatMap { InstalledModule(path: "\(store.path($0))/em002_64.dat") }?.databaseVersion ?? 0
    }

    /// Offers a generation to the daemon; without a daemon, checks it with a canary and makes it the current one.
    ///
    /// - Parameter isNew: it goes when it is refused.
    func install(_ number: UInt64, isNew: Bool = true) throws(UpdateError) {
        guard (try? UnixSocket.connect(path: configuration.daemonSocket)) != nil else {
            try checkAlone(number, isNew)
            do throws(GenerationError) { try store.activate(number) } catch { throw UpdateError(error) }
            return
        }
        let connection = ScanConnection(path: configuration.daemonSocket, agent: "update", patience: .zero)
        do throws(ScanClientError) {
            _ = try connection.offer(generation: number)
        } catch {
            if isNew { discard(number) }
            guard case .refused(.failed) = error.code else { throw UpdateError(.files, error.message) }
            throw UpdateError(.module, "generation \(number) was refused: \(error.message)")
        }
    }

    private func checkAlone(_ number: UInt64, _ isNew: Bool) throws(UpdateError) {
        var command = ["\(paths.sbinDirectory)/esets_daemon", "--canary=\(number)"]
        if let root = arguments.root { command.append("--root=\(root)") }
        if let file = arguments.configurationFile { command.append("--cfg=\(file)") }
        let end: ProcessEnd?
        do throws(SystemError) {
            let child = try ChildProcess.spawn(
                command[0], arguments: command, environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C"])
            end = try ChildProcess.wait(child)
        } catch {
            throw UpdateError(.module, "generation \(number): \(error.description)")
        }
        guard end == .exited(0) else {
            if isNew { discard(number) }
            throw UpdateError(.module, "generation \(number): the canary refused it")
        }
    }

    private func discard(_ number: UInt64) {
        do throws(GenerationError) { try store.remove(number) } catch { Console.error(error.description) }
    }
}

extension UpdateError {
    /// Exit status when a server wants other credentials.
    static let credentials: Int32 = 2

    var exitCode: Int32 {
        switch kind {
        case .busy: ExitCode.temporary
        case .module: 3
        case .configuration: ExitCode.configuration
        case .sources, .files: ExitCode.failure
        }
    }
}
