import Configuration
import Generations
import Glibc
import Logging
import Platform
import ScanProtocol

/// Takes offered generations: canary, link, scanning processes; and goes back when they turn out bad.
///
/// A scanning process that has served a client may have been taken over by what it scanned. What it says about a
/// generation is not believed: a new process takes its place, and that one's word counts. Nor do crashes prove
/// anything by themselves: a canary decides before the manager goes back.
final class GenerationSwap {
    /// What changes with the configuration.
    struct Settings: Equatable {
        /// Nanoseconds after a swap in which crashes and verdicts count; 0 = never.
        var watch: UInt64 = 900 * 1_000_000_000
        /// Percentage points by which objects that are not scanned may become more; 0 = any number.
        var maximumNotScanned = 10
        /// Percent of the time of the generation in use that a new one may take; 0 = any time.
        var maximumSlowdown = 400
    }

    /// What scanning processes may take to load.
    private static let loadTime: UInt64 = 60 * 1_000_000_000
    /// Crashes after a swap that make it suspect.
    static let crashLimit = 3
    /// From the last of these crashes until a canary tries the objects: clients keep what their process died of first.
    static let sampleTime: UInt64 = 2 * 1_000_000_000

    typealias Reply = (Result<String, Refused>) -> Void
    struct Refused: Error { let text: String }

    enum State {
        case idle
        case canary
        case loading(generation: UInt64, previous: UInt64?, missing: Set<UInt64>, Reply)
        /// A canary looks whether a suspicion is right.
        case confirming
        /// Processes with the suspect and with the target scan side by side.
        case comparing(suspect: UInt64, target: UInt64, worker: Worker, reason: String)
    }

    let loop: PollLoop
    let children: ChildWatch
    private let program: ManagerProgram
    let pool: WorkerPool
    let log: () -> Log
    var store: GenerationStore
    var state = State.idle
    var timer: PollLoop.Token?
    /// The generation in use before the last swap, and when that was.
    var previous: UInt64?
    var swappedAt: UInt64 = 0
    var crashes = 0
    var crashLimit = GenerationSwap.crashLimit
    /// Objects of our own agents that isolated processes died of since the last swap.
    var samples: [Descriptor] = []
    /// What processes had counted at the last swap, by their ids, and the verdicts before it.
    var countedBefore: [UInt64: WorkerStatistics] = [:]
    var verdictsBefore = VerdictCounts()
    let raise: (ScheduledTask.Event, _ name: String, _ info: String) -> Void
    /// `GenerationManifest.content` of a generation; "" when it cannot be read.
    let content: (GenerationStore, UInt64) -> String
    var settings: Settings

    /// The current generation is bad, and there is no other.
    var isStuck = false
    /// Generations that this process found bad; `store` remembers them, too, unless it cannot be written.
    var bad: Set<UInt64> = []
    var current: UInt64?
    var lastSwap: (realtime: UInt64, generation: UInt64)?
    var lastRefusal: (realtime: UInt64, text: String)?

    init(
        loop: PollLoop, children: ChildWatch, program: ManagerProgram, pool: WorkerPool, store: GenerationStore,
        settings: Settings, content: @escaping (GenerationStore, UInt64) -> String,
        raise: @escaping (ScheduledTask.Event, _ name: String, _ info: String) -> Void, log: @escaping () -> Log
    ) {
        self.loop = loop
        self.children = children
        self.program = program
        self.pool = pool
        self.store = store
        self.settings = settings
        self.content = content
        self.raise = raise
        self.log = log
        current = store.current
        pool.generation = current
        pool.onLoad = { [unowned self] worker, generation, failure in loaded(worker, generation, failure) }
        pool.onCrash = { [unowned self] in crashed() }
        pool.onStatistics = { [unowned self] in counted() }
    }

    func tryOut(
        _ generation: UInt64, _ samples: [Descriptor] = [], isNew: Bool = false,
        _ ended: @escaping (CanaryRun.Outcome) -> Void
    ) {
        let percent = settings.maximumSlowdown
        let reference = isNew && percent > 0 ? current.map { ($0, percent) } : nil
        CanaryRun.start(
            generation, samples: samples, reference: reference, user: pool.settings.user, loop: loop,
            children: children, program: program,
            log: log, ended: ended)
    }

    // MARK: - Offer

    /// Tries a generation and uses it if it is good.
    func offer(_ generation: UInt64, _ reply: @escaping Reply) {
        // What is offered takes the place of a suspect, too.
        if case .comparing = state { endComparison() }
        guard case .idle = state else {
            return reply(.failure(Refused(text: "another generation is being tried; offer it again later")))
        }
        guard Files.exists(store.path(generation)) else {
            return refuse(generation, "\(store.path(generation)) does not exist", reply)
        }
        if generation == current { return reply(.success("generation \(generation) is in use already")) }
        if let bad = store.badness(of: generation, content: content(store, generation)) {
            let which = bad.number == generation ? "it" : "generation \(bad.number) with the same content"
            return refuse(
                generation,
                "\(which) was left before and is not tried again until its content changes: \(bad.reason) "
                    + "(\(store.directory)/.bad remembers that)",
                reply)
        }
        state = .canary
        tryOut(generation, isNew: true) { [unowned self] outcome in
            state = .idle
            switch outcome {
            case .good: activate(generation, reply)
            case .bad(let text), .unknown(let text): refuse(generation, text, reply)
            }
        }
    }

    private func activate(_ generation: UInt64, _ reply: @escaping Reply) {
        let old = current
        if let text = use(generation) { return refuse(generation, text, reply) }
        state = .loading(
            generation: generation, previous: old, missing: Set(pool.shared.map(\.id)), reply)
        startLoadTimer()
        checkLoading()
    }

    private func startLoadTimer() {
        loop.remove(timer)
        timer = loop.after(GenerationSwap.loadTime) { [unowned self] in loadingIsLate() }
    }

    /// Processes that have served clients are replaced; new ones that are late have the same word as others.
    private func loadingIsLate() {
        guard case .loading(_, _, let missing, _) = state else { return }
        let late = missing.compactMap { pool.workers[$0] }
        guard !late.isEmpty, late.allSatisfy(\.hasServed) else {
            return failLoading("the scanning processes did not load it in time")
        }
        for worker in late { replace(worker, "did not load the offered generation in time") }
        startLoadTimer()
        checkLoading()
    }

    /// Goes on loading with a new process in place of one that is not believed.
    private func replace(_ worker: Worker, _ reason: String) {
        guard case .loading(let generation, let previous, var missing, let reply) = state else { return }
        log().warning("scanning process \(worker.id) \(reason); another one takes its place and decides")
        missing.remove(worker.id)
        if let fresh = pool.replace(worker) { missing.insert(fresh.id) }
        state = .loading(generation: generation, previous: previous, missing: missing, reply)
    }

    /// Makes it the generation of all processes. What went wrong, or nil.
    func use(_ generation: UInt64) -> String? {
        do throws(GenerationError) { try store.activate(generation) } catch { return "\(error)" }
        current = generation
        isStuck = false
        samples = []
        crashLimit = GenerationSwap.crashLimit
        pool.generation = generation
        for worker in pool.shared { worker.load(generation) }
        return nil
    }

    private func loaded(_ worker: Worker, _ generation: UInt64, _ failure: String?) {
        switch state {
        case .loading(let wanted, let previous, var missing, let reply) where wanted == generation:
            if let failure {
                guard worker.hasServed else { return failLoading(failure) }
                replace(worker, "refused generation \(generation)")
                return checkLoading()
            }
            missing.remove(worker.id)
            state = .loading(generation: wanted, previous: previous, missing: missing, reply)
            checkLoading()
        case .idle where failure != nil && generation == current && !worker.isDraining:
            if worker.hasServed {
                log().warning("scanning process \(worker.id) is replaced: it refused the generation in use")
                _ = pool.replace(worker)
            } else {
                suspect("it cannot be loaded: \(failure ?? "")", worker: worker)
            }
        case .comparing(let suspect, let target, let trial, _) where trial === worker && generation == target:
            if let failure {
                endComparison()
                stay(suspect, "generation \(target) cannot be compared with it: \(failure)")
            }
        default: break
        }
    }

    /// A process that ended has nothing to load; its replacement begins with the new generation.
    func ended(_ worker: Worker) {
        if case .comparing(let suspect, let target, let trial, _) = state, trial === worker {
            endComparison()
            return stay(suspect, "the process that scanned with generation \(target) for comparison ended")
        }
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
        beginWatch()
        lastSwap = (Clock.realtime, generation)
        log().info("generation \(generation) is in use")
        raise(.engine, "generation \(generation)", "it is in use" + (old.map { " in place of generation \($0)" } ?? ""))
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
        lastRefusal = (Clock.realtime, line)
        log().error(line)
        raise(.refused, "generation \(generation)", line)
        reply(.failure(Refused(text: line)))
    }

    /// Looks at the link again: an administrator may have changed it by hand.
    func reload(_ store: GenerationStore) {
        self.store = store
        guard case .idle = state, let named = store.current, named != current else { return }
        log().info("generation \(named) is taken from the link \(store.directory)/current")
        previous = current
        beginWatch()
        if let text = use(named) { log().error("generation \(named) cannot be used: \(text)") }
    }
}
