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
    /// What scanning processes may take to load.
    private static let loadTime: UInt64 = 60 * 1_000_000_000
    /// Crashes after a swap that make it suspect, and for how long after it they count.
    private static let crashLimit = 3
    private static let probation: UInt64 = 900 * 1_000_000_000
    /// From the last of these crashes until a canary tries the objects: clients keep what their process died of first.
    private static let sampleTime: UInt64 = 2 * 1_000_000_000

    typealias Reply = (Result<String, Refused>) -> Void
    struct Refused: Error { let text: String }

    private enum State {
        case idle
        case canary
        case loading(generation: UInt64, previous: UInt64?, missing: Set<UInt64>, Reply)
        /// A canary looks whether a suspicion is right.
        case confirming
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
    private var crashLimit = GenerationSwap.crashLimit
    /// Objects of our own agents that isolated processes died of since the last swap.
    private var samples: [Descriptor] = []
    /// Generations that were gone back from: never tried again by themselves.
    private var bad: Set<UInt64> = []

    /// The current generation is bad, and there is no other.
    var isStuck: Bool { current.map(bad.contains) ?? false }
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

    private func tryOut(
        _ generation: UInt64, _ samples: [Descriptor] = [], _ ended: @escaping (CanaryRun.Outcome) -> Void
    ) {
        CanaryRun.start(
            generation, samples: samples, user: pool.settings.user, loop: loop, children: children, program: program,
            log: log, ended: ended)
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
        state = .canary
        tryOut(generation) { [unowned self] outcome in
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
    private func use(_ generation: UInt64) -> String? {
        do throws(GenerationError) { try store.activate(generation) } catch { return "\(error)" }
        current = generation
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
        guard previous != nil, isOnProbation else { return }
        crashes += 1
        guard crashes == crashLimit else { return }
        loop.after(GenerationSwap.sampleTime) { [unowned self] in
            guard crashes >= crashLimit else { return }
            suspect("\(crashes) scanning processes crashed since it came into use")
        }
    }

    private var isOnProbation: Bool { Clock.now &- swappedAt < GenerationSwap.probation }

    /// Remembers an object of one of our own agents that an isolated process died of.
    func remember(sample: Descriptor) {
        guard isOnProbation, samples.count < ManagerProgram.samples, let copy = try? sample.duplicate() else { return }
        samples.append(copy)
        // They hold memory or disk space.
        loop.after(GenerationSwap.probation) { [unowned self] in
            if !isOnProbation { samples = [] }
        }
    }

    /// Has a canary try the current generation again, and goes back only if it fares no better.
    ///
    /// - Parameter worker: a new process that refused the generation; ended when the canary disagrees.
    private func suspect(_ reason: String, worker: Worker? = nil) {
        guard case .idle = state, let suspect = current else { return }
        guard let target = older(than: suspect) else {
            bad.insert(suspect)
            lastRefusal = "generation \(suspect): \(reason); there is no older one to go back to"
            log().error("generation \(suspect): \(reason); there is no older one to go back to. Run esets_update")
            return
        }
        state = .confirming
        let samples = self.samples
        log().warning(
            "generation \(suspect): \(reason). A canary tries it again, with \(samples.count) objects that crashed it")
        tryOut(suspect, samples) { [unowned self] outcome in
            switch outcome {
            case .good:
                stay(suspect, "\(reason), but a canary finds nothing wrong with it")
                // A new one is started in its place.
                if let worker { children.signal(worker.pid, SIGKILL) }
            case .unknown(let text): stay(suspect, "\(reason), but \(text)")
            case .bad(let text): compare(suspect, with: target, samples, "\(reason); tried again: \(text)")
            }
        }
    }

    /// A canary agreed. The older generation must fare better with the same objects.
    private func compare(_ suspect: UInt64, with target: UInt64, _ samples: [Descriptor], _ reason: String) {
        tryOut(target, samples) { [unowned self] outcome in
            switch outcome {
            case .good:
                state = .idle
                bad.insert(suspect)
                goBack(from: suspect, to: target, reason)
            case .unknown(let text): stay(suspect, "\(reason); generation \(target): \(text)")
            case .bad(let text):
                if samples.isEmpty {
                    bad.insert(target)
                    if let next = older(than: target) { return compare(suspect, with: next, samples, reason) }
                }
                stay(suspect, "\(reason); generation \(target) fares no better: \(text)")
            }
        }
    }

    /// The suspicion was not confirmed. Next time more is needed, so that canaries cannot be kept busy.
    private func stay(_ generation: UInt64, _ reason: String) {
        state = .idle
        crashes = 0
        crashLimit = min(1_000, crashLimit * 2)
        samples = []
        lastRefusal = "generation \(generation) stays in use: \(reason)"
        log().error("generation \(generation) stays in use: \(reason)")
    }

    /// The previous generation, or the newest older one, as far as they are not known to be bad.
    private func older(than generation: UInt64) -> UInt64? {
        let numbers = ((try? store.numbers()) ?? []).filter { $0 < generation && !bad.contains($0) }
        return previous.flatMap { bad.contains($0) || $0 == generation ? nil : $0 } ?? numbers.last
    }

    private func goBack(from failed: UInt64, to target: UInt64, _ reason: String) {
        // An administrator, or another offer, was faster.
        guard current == failed else { return }
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
