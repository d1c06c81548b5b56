import Generations
import Glibc
import Logging
import Platform
import ScanProtocol

/// Takes offered generations: canary, link, scanning processes; and goes back when they turn out bad.
final class GenerationSwap {
    /// What a canary may take to verify every byte and to scan the known answers.
    private static let canaryTime: UInt64 = 300 * 1_000_000_000
    /// What scanning processes may take to load.
    private static let loadTime: UInt64 = 60 * 1_000_000_000
    /// Crashes after a swap that make it bad, and for how long after it they count.
    private static let crashLimit = 3
    private static let probation: UInt64 = 900 * 1_000_000_000

    typealias Reply = (Result<String, Refused>) -> Void
    struct Refused: Error { let text: String }

    private enum State {
        case idle
        case canary(generation: UInt64, Reply)
        case loading(generation: UInt64, previous: UInt64?, missing: Set<UInt64>, Reply)
    }

    private let loop: PollLoop
    private let children: ChildWatch
    private let program: ManagerProgram
    private let pool: WorkerPool
    private let log: () -> Log
    var store: GenerationStore
    private var state = State.idle
    private var timer: PollLoop.Token?
    /// The generation in use before the last swap, and when that was.
    private var previous: UInt64?
    private var swappedAt: UInt64 = 0
    private var crashes = 0
    /// Generations that were gone back from: never tried again by themselves.
    private var bad: Set<UInt64> = []

    private(set) var current: UInt64?
    private(set) var lastSwap: (realtime: UInt64, generation: UInt64)?
    private(set) var lastRefusal: String?

    init(
        loop: PollLoop, children: ChildWatch, program: ManagerProgram, pool: WorkerPool, store: GenerationStore,
        log: @escaping () -> Log
    ) {
        self.loop = loop
        self.children = children
        self.program = program
        self.pool = pool
        self.store = store
        self.log = log
        current = store.current
        pool.generation = current
        pool.onLoad = { [unowned self] worker, generation, failure in loaded(worker, generation, failure) }
        pool.onCrash = { [unowned self] in crashed() }
    }

    // MARK: - Offer

    /// Tries a generation and uses it if it is good.
    func offer(_ generation: UInt64, _ reply: @escaping Reply) {
        guard case .idle = state else {
            return reply(.failure(Refused(text: "another generation is being tried; offer it again later")))
        }
        guard Files.exists(store.path(generation)) else {
            return refuse(generation, "\(store.path(generation)) does not exist", reply)
        }
        if generation == current { return reply(.success("generation \(generation) is in use already")) }
        state = .canary(generation: generation, reply)
        do throws(SystemError) {
            let (near, far) = try UnixSocket.pair()
            try startCanary(generation, near, far)
        } catch {
            state = .idle
            refuse(generation, "the canary cannot be started: \(error)", reply)
        }
    }

    private func startCanary(_ generation: UInt64, _ near: Descriptor, _ far: Descriptor) throws(SystemError) {
        let talk = CanaryTalk(near, loop, log)
        let pid = try children.start(
            program.path,
            arguments: program.arguments(["--canary=\(generation)", "--user=\(pool.settings.user)"]),
            environment: program.environment, descriptors: [(ManagerProgram.controlDescriptor, far.raw)]
        ) { [unowned self] end in canaryEnded(talk, end) }
        talk.listen()
        timer = loop.after(GenerationSwap.canaryTime) { [unowned self] in children.signal(pid, SIGKILL) }
    }

    private func canaryEnded(_ talk: CanaryTalk, _ end: ProcessEnd) {
        loop.remove(timer)
        talk.end()
        guard case .canary(let generation, let reply) = state else { return }
        state = .idle
        guard end == .exited(0), talk.loaded == generation, talk.failure == nil else {
            return refuse(generation, talk.failure ?? "the canary ended with \(end)", reply)
        }
        activate(generation, reply)
    }

    private func activate(_ generation: UInt64, _ reply: @escaping Reply) {
        let old = current
        if let text = use(generation) { return refuse(generation, text, reply) }
        state = .loading(
            generation: generation, previous: old, missing: Set(pool.shared.map(\.id)), reply)
        timer = loop.after(GenerationSwap.loadTime) { [unowned self] in
            failLoading("the scanning processes did not load it in time")
        }
        checkLoading()
    }

    /// Makes it the generation of all processes. What went wrong, or nil.
    private func use(_ generation: UInt64) -> String? {
        do throws(GenerationError) { try store.activate(generation) } catch { return "\(error)" }
        current = generation
        pool.generation = generation
        for worker in pool.shared { worker.load(generation) }
        return nil
    }

    private func loaded(_ worker: Worker, _ generation: UInt64, _ failure: String?) {
        switch state {
        case .loading(let wanted, let previous, var missing, let reply) where wanted == generation:
            if let failure { return failLoading(failure) }
            missing.remove(worker.id)
            state = .loading(generation: wanted, previous: previous, missing: missing, reply)
            checkLoading()
        case .idle where failure != nil && generation == current:
            goBack("it cannot be loaded: \(failure ?? "")")
        default: break
        }
    }

    /// A process that ended has nothing to load; its replacement begins with the new generation.
    func ended(_ worker: Worker) {
        guard case .loading(let wanted, let previous, var missing, let reply) = state else { return }
        missing.remove(worker.id)
        state = .loading(generation: wanted, previous: previous, missing: missing, reply)
        checkLoading()
    }

    private func checkLoading() {
        guard case .loading(let generation, let old, let missing, let reply) = state, missing.isEmpty else { return }
        loop.remove(timer)
        state = .idle
        previous = old
        swappedAt = Clock.now
        crashes = 0
        lastSwap = (Clock.realtime, generation)
        log().info("generation \(generation) is in use")
        reply(.success("generation \(generation) is in use"))
    }

    private func failLoading(_ text: String) {
        guard case .loading(let generation, let old, _, let reply) = state else { return }
        loop.remove(timer)
        state = .idle
        if let old, let text = use(old) { log().error("generation \(old) cannot be used again: \(text)") }
        refuse(generation, text, reply)
    }

    private func refuse(_ generation: UInt64, _ text: String, _ reply: Reply) {
        let line = "generation \(generation) is refused: \(text)"
        lastRefusal = line
        log().error(line)
        reply(.failure(Refused(text: line)))
    }

    // MARK: - Going back

    private func crashed() {
        guard previous != nil, Clock.now &- swappedAt < GenerationSwap.probation else { return }
        crashes += 1
        guard crashes >= GenerationSwap.crashLimit, case .idle = state else { return }
        goBack("\(crashes) scanning processes crashed since it came into use")
    }

    /// Goes back to the last good generation: the previous one, or the newest older one.
    private func goBack(_ reason: String) {
        guard let failed = current else { return }
        bad.insert(failed)
        let older = ((try? store.numbers()) ?? []).filter { $0 < failed && !bad.contains($0) }
        guard let target = previous.flatMap({ bad.contains($0) ? nil : $0 }) ?? older.last else {
            lastRefusal = "generation \(failed): \(reason); there is no older one to go back to"
            log().error("generation \(failed): \(reason); there is no older one to go back to. Run esets_update")
            return
        }
        previous = nil
        let line = "generation \(failed) is left for generation \(target): \(reason)"
        lastRefusal = line
        if let text = use(target) {
            log().error("\(line); going back failed: \(text)")
        } else {
            lastSwap = (Clock.realtime, target)
            log().error(line)
        }
    }

    /// Looks at the link again: an administrator may have changed it by hand.
    func reload(_ store: GenerationStore) {
        self.store = store
        guard case .idle = state, let named = store.current, named != current else { return }
        log().info("generation \(named) is taken from the link \(store.directory)/current")
        previous = current
        swappedAt = Clock.now
        crashes = 0
        if let text = use(named) { log().error("generation \(named) cannot be used: \(text)") }
    }
}
