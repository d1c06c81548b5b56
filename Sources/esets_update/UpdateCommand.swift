import Configuration
import Generations
import Glibc
import JSON
import Platform
import Programs
import ScanClient
import ScanProtocol
import Updates

/// One update: compile what changed, offer it, clean up.
struct UpdateCommand {
    private let arguments: Arguments
    private let paths: Paths
    private let configuration: Configuration

    init(_ arguments: Arguments) {
        self.arguments = arguments
        paths = Paths(root: arguments.root, configurationFile: arguments.configurationFile)
        do throws(ConfigurationError) {
            configuration = try Configuration.load(paths: paths)
        } catch {
            Main.program.fail(error.description, code: ExitCode.configuration)
        }
    }

    func run() {
        let server = arguments.value("server") ?? configuration.global.text("av_update_server")
        if !server.isEmpty {
            Main.program.fail(
                "\(server): fetching from servers is not part of this version; put the files into the mirror "
                    + "and leave av_update_server empty", code: ExitCode.configuration)
        }
        let store = GenerationStore(base: arguments.value("base-dir") ?? configuration.global.text("base_dir"))
        do throws(UpdateError) {
            let lock = try UpdateLock(path: "\(paths.updateStateDirectory)/update.lock")
            try update(store)
            withExtendedLifetime(lock) {}
        } catch {
            let code: Int32 = error.kind == .busy ? ExitCode.temporary : error.kind == .module ? 3 : ExitCode.failure
            Main.program.fail(error.description, code: code)
        }
    }

    private func update(_ store: GenerationStore) throws(UpdateError) {
        let seed: [UInt8]
        let trust: Trust
        do throws(GenerationError) {
            seed = try Trust.readKey("\(paths.certificatesDirectory)/generation.key")
            trust = try Trust(directory: paths.certificatesDirectory)
        } catch {
            throw UpdateError(error)
        }
        let mirror = MirrorDirectory(arguments.value("mirror") ?? configuration.global.text("av_mirror_dir"))
        if arguments.has("verbose") { setenv("ESETS_UPDATE_VERBOSE", "1", 1) }
        let compiler = CompilerProcess(
            program: "/proc/self/exe", mirror: mirror, temporary: configuration.global.text("tmp_dir"),
            certificates: "\(paths.certificatesDirectory)/signatures")
        let builder = GenerationBuilder(store: store, mirror: mirror, trust: trust) {
            module, version, digest, path throws(UpdateError) in
            try compiler.compile(module, version: version, digest: digest, to: path)
        }
        switch try builder.build(force: arguments.has("force"), seed: seed) {
        case .current:
            tell("Update is not necessary - the installed virus signature database is current.", store, changed: [])
        case .built(let number, let changed):
            try install(number, store)
            tell("Virus signature database has been updated.", store, changed: changed)
            do throws(GenerationError) { try store.prune(keep: 3) } catch { throw UpdateError(error) }
        }
    }

    /// Offers a generation to the daemon; without a daemon, checks it with a canary and makes it the current one.
    private func install(_ number: UInt64, _ store: GenerationStore) throws(UpdateError) {
        guard (try? UnixSocket.connect(path: configuration.daemonSocket)) != nil else {
            try checkAlone(number, store)
            do throws(GenerationError) { try store.activate(number) } catch { throw UpdateError(error) }
            return
        }
        let connection = ScanConnection(path: configuration.daemonSocket, agent: "update", patience: .zero)
        do throws(ScanClientError) {
            _ = try connection.offer(generation: number)
        } catch {
            discard(number, store)
            guard case .refused(.failed) = error.code else { throw UpdateError(.files, error.message) }
            throw UpdateError(.module, "generation \(number) was refused: \(error.message)")
        }
    }

    private func checkAlone(_ number: UInt64, _ store: GenerationStore) throws(UpdateError) {
        var command = ["\(paths.sbinDirectory)/esets_daemon", "--canary=\(number)"]
        if let root = arguments.root { command.append("--root=\(root)") }
        if let file = arguments.configurationFile { command.append("--cfg=\(file)") }
        do throws(SystemError) {
            let child = try ChildProcess.spawn(
                command[0], arguments: command, environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C"])
            guard try ChildProcess.wait(child) == .exited(0) else {
                discard(number, store)
                throw SystemError("the canary refused it", code: EINVAL)
            }
        } catch {
            throw UpdateError(
                .module,
                "generation \(number): \(error.call == "the canary refused it" ? error.call : error.description)")
        }
    }

    private func discard(_ number: UInt64, _ store: GenerationStore) {
        do throws(GenerationError) { try store.remove(number) } catch { Console.error(error.description) }
    }

    /// Scripts match on "Installed virus signature database version N (YYYYMMDD)": its shape stays.
    private func tell(_ sentence: String, _ store: GenerationStore, changed: [String]) {
        let path = store.current.map { "\(store.path($0))/em002_64.dat" }
        let version = path.flatMap { InstalledModule(path: $0) }?.databaseVersion ?? 0
        if arguments.has("json") {
            Console.print(
                JSONValue.object([
                    "updated": .bool(!changed.isEmpty), "changed": .array(changed.map { .string($0) }),
                    "generation": .integer(Int64(clamping: store.current ?? 0)),
                    "database_version": .integer(Int64(clamping: version)),
                ]).text())
            return
        }
        Console.print(sentence)
        Console.print("Installed virus signature database version \(version) (\(version / 100))")
    }
}
