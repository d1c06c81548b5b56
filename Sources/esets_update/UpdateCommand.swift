import Configuration
import Generations
import Glibc
import JSON
import Platform
import Programs
import Updates

/// One update: fetch what is new, compile what changed, offer it, clean up.
struct UpdateCommand {
    private let arguments: Arguments
    private let system: UpdateSystem
    private let upstreams: UpstreamConfiguration
    private let now = Int64(Clock.realtime / 1_000_000_000)
    private let progress = Progress()

    init(_ arguments: Arguments) {
        self.arguments = arguments
        system = UpdateSystem(arguments)
        upstreams = UpstreamConfiguration(
            system.configuration, arguments,
            mirror: arguments.value("mirror") ?? system.configuration.global.text("av_mirror_dir"))
    }

    func run() {
        do throws(UpdateError) {
            let lock = try UpdateLock(path: "\(system.paths.updateStateDirectory)/update.lock")
            Remains.remove(system.store, temporary: system.configuration.global.text("tmp_dir"))
            let code = try update()
            withExtendedLifetime(lock) {}
            exit(code)
        } catch {
            UpdateTimes(system.paths.updateStateDirectory).attempted(now)
            Main.program.fail(error.description, code: error.exitCode)
        }
    }

    private func update() throws(UpdateError) -> Int32 {
        var (state, isDamaged) = loadState()
        let results = arguments.has("no-fetch") ? [] : try fetch(&state)
        let failed = results.filter { $0.failure != nil }
        // What the damaged state named would be lost in silence.
        if isDamaged, !failed.isEmpty || arguments.has("no-fetch") {
            throw UpdateError(.sources, "\(upstreams.state) is damaged, and not everything could be fetched again")
        }
        let outcome = try build(state)
        UpdateTimes(system.paths.updateStateDirectory).attempted(now, updated: failed.isEmpty)
        tell(outcome, results)
        if failed.contains(where: { $0.failure == .credentials }) { return UpdateError.credentials }
        return failed.isEmpty ? ExitCode.success : ExitCode.failure
    }

    private func loadState() -> (SourceState, isDamaged: Bool) {
        do throws(UpdateError) { return (try SourceState.load(upstreams.state), false) } catch {
            Console.error("\(Main.program.name): \(error.description)")
            return (SourceState(), true)
        }
    }

    // MARK: - Stage 1

    private func fetch(_ state: inout SourceState) throws(UpdateError) -> [FetchReport.Upstream] {
        var plan = try upstreams.plan(state)
        // What is configured no more counts no more.
        let names = Set(plan.upstreams.map(\.name))
        let before = state
        state.upstreams = state.upstreams.filter { names.contains($0.key) }
        if !arguments.has("force") {
            plan.upstreams.removeAll { upstreams.isResting($0.name, before, now: now) }
        }
        let adoption = Adoption(staging: plan.staging, mirror: plan.mirror, trusted: upstreams.trusted)
        var report = FetchReport()
        if !plan.upstreams.isEmpty {
            try FetcherProcess.prepare(staging: plan.staging)
            report = try FetcherProcess(program: "/proc/self/exe").run(plan, progress: progress.show)
            progress.clear()
        }
        for upstream in plan.upstreams {
            guard let index = report.upstreams.firstIndex(where: { $0.name == upstream.name }) else {
                throw UpdateError(.sources, "the fetching process says nothing of \(upstream.name)")
            }
            do throws(UpdateError) {
                state.upstreams[upstream.name] = try adoption.adopt(
                    report.upstreams[index], of: upstream, before: before.upstreams[upstream.name], now: now)
            } catch {
                // What it brought is not used; what others brought is.
                report.upstreams[index].failure = .download
                report.upstreams[index].reason = error.description
                state.upstreams[upstream.name] = before.upstreams[upstream.name]
            }
        }
        state.rests = report.rests
        if state != before { try state.save(upstreams.state) }
        adoption.prune(state, now: now)
        for result in report.upstreams { complain(result) }
        return report.upstreams
    }

    private func complain(_ result: FetchReport.Upstream) {
        if result.failure != nil { Console.error("\(Main.program.name): \(result.name): \(result.reason)") }
        if result.failure != nil || arguments.has("verbose") {
            for note in result.notes { Console.error("\(Main.program.name): \(result.name): \(note)") }
        }
    }

    // MARK: - Stage 2

    private func build(_ state: SourceState) throws(UpdateError) -> GenerationBuilder.Outcome {
        let (seed, trust) = try system.keys()
        if arguments.has("verbose") { setenv("ESETS_UPDATE_VERBOSE", "1", 1) }
        let mirror = MirrorDirectory(upstreams.mirror, state: state)
        let compiler = CompilerProcess(
            program: "/proc/self/exe", mirror: mirror, temporary: system.configuration.global.text("tmp_dir"),
            certificates: "\(system.paths.certificatesDirectory)/signatures", state: upstreams.state)
        let held = HeldContent(system.paths.updateStateDirectory)
        let builder = GenerationBuilder(store: system.store, mirror: mirror, trust: trust) {
            module, version, digest, path throws(UpdateError) in
            progress.show("compiling \(module)")
            defer { progress.clear() }
            try compiler.compile(module, version: version, digest: digest, to: path)
        }
        let outcome = try builder.build(
            force: arguments.has("force"), seed: seed, unless: arguments.has("force") ? nil : held)
        if case .built(let number, _) = outcome {
            progress.show("trying generation \(number)")
            defer { progress.clear() }
            try system.install(number)
            held.release()
            do throws(GenerationError) { try system.store.prune(keep: 3) } catch { throw UpdateError(error) }
        }
        return outcome
    }

    // MARK: - Output

    /// Scripts match on "Installed virus signature database version N (YYYYMMDD)": its shape stays.
    private func tell(_ outcome: GenerationBuilder.Outcome, _ results: [FetchReport.Upstream]) {
        var changed: [String] = []
        var sentence = "Update is not necessary - the installed virus signature database is current."
        switch outcome {
        case .current: break
        case .built(_, let modules):
            changed = modules
            sentence = "Virus signature database has been updated."
        case .held(let reason): sentence = "Nothing is installed: this content was gone back from (\(reason))."
        }
        let version = system.databaseVersion
        guard arguments.has("json") else {
            Console.print(sentence)
            Console.print("Installed virus signature database version \(version) (\(version / 100))")
            return
        }
        var members: [String: JSONValue] = [
            "updated": .bool(!changed.isEmpty), "changed": .array(changed.map { .string($0) }),
            "generation": .integer(Int64(clamping: system.store.current ?? 0)),
            "database_version": .integer(Int64(clamping: version)),
            "upstreams": .array(results.map(json)),
            "failed": .bool(results.contains { $0.failure != nil }),
        ]
        if case .held(let reason) = outcome { members["held"] = .string(reason) }
        Console.print(JSONValue.object(members).text())
    }

    private func json(_ result: FetchReport.Upstream) -> JSONValue {
        var members: [String: JSONValue] = [
            "name": .string(result.name), "version": .string(result.version), "bytes": .integer(Int64(result.bytes)),
            "requests": .integer(Int64(result.requests)), "new_files": .integer(Int64(result.staged.count)),
            "notes": .array(result.notes.map { .string($0) }),
            "status": .string(
                result.failure.map { $0 == .credentials ? "credentials" : "failed" }
                    ?? (result.staged.isEmpty ? "current" : "updated")),
        ]
        if result.failure != nil { members["reason"] = .string(result.reason) }
        return .object(members)
    }
}

/// One line on a terminal: which file, and how far.
private final class Progress {
    private let isShown = isatty(STDERR_FILENO) == 1
    private var isDirty = false

    func show(_ upstream: String, _ file: String, _ done: Int, _ total: Int?) {
        guard isShown else { return }
        // Names come from servers: nothing that a terminal would obey.
        let name = String(decoding: file.utf8.prefix(60).map { $0 >= 0x20 && $0 < 0x7f ? $0 : 0x3f }, as: UTF8.self)
        var line = "\(upstream): \(name)"
        if done > 0 { line += " \(Self.size(done))" }
        if let total, total > 0 { line += " of \(Self.size(total)) (\(min(100, done * 100 / total)) %)" }
        show(line)
    }

    func show(_ line: String) {
        guard isShown else { return }
        isDirty = true
        put("\r\(line)\u{1B}[K")
    }

    func clear() {
        guard isDirty else { return }
        put("\r\u{1B}[K")
        isDirty = false
    }

    private static func size(_ bytes: Int) -> String {
        bytes >= 10 << 20 ? "\(bytes >> 20) MB" : bytes >= 10 << 10 ? "\(bytes >> 10) KB" : "\(bytes) B"
    }

    private func put(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
