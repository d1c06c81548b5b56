import Configuration
import Generations
import Glibc
import Logging
import Platform

// Going back: crashes make a generation suspect, a canary decides.
extension GenerationSwap {
    func crashed() {
        guard previous != nil, isOnProbation else { return }
        crashes += 1
        guard crashes == crashLimit else { return }
        loop.after(GenerationSwap.sampleTime) { [unowned self] in
            guard crashes >= crashLimit else { return }
            suspect("\(crashes) scanning processes crashed since it came into use")
        }
    }

    var isOnProbation: Bool { swappedAt > 0 && Clock.now &- swappedAt < settings.watch }

    /// Remembers an object of one of our own agents that an isolated process died of.
    func remember(sample: Descriptor) {
        guard isOnProbation, samples.count < ManagerProgram.samples, let copy = try? sample.duplicate() else { return }
        samples.append(copy)
        // They hold memory or disk space.
        loop.after(settings.watch) { [unowned self] in
            if !isOnProbation { samples = [] }
        }
    }

    /// Has a canary try the current generation again, and goes back only if it fares no better.
    ///
    /// - Parameter worker: a new process that refused the generation; ended when the canary disagrees.
    func suspect(_ reason: String, worker: Worker? = nil) {
        guard case .idle = state, let suspect = current else { return }
        guard let target = older(than: suspect) else {
            markBad(suspect, reason, content: worker == nil)
            isStuck = true
            lastRefusal = (Clock.realtime, "generation \(suspect): \(reason); there is no older one to go back to")
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
            case .bad(let text):
                // Files that cannot be loaded may be damaged: made anew from the same content they may be good.
                compare(suspect, with: target, samples, "\(reason); tried again: \(text)", content: worker == nil)
            }
        }
    }

    /// A canary agreed. The older generation must fare better with the same objects.
    ///
    /// - Parameter content: the fault lies in what the generation holds, not in its files alone.
    func compare(
        _ suspect: UInt64, with target: UInt64, _ samples: [Descriptor], _ reason: String, content: Bool
    ) {
        tryOut(target, samples) { [unowned self] outcome in
            switch outcome {
            case .good:
                state = .idle
                goBack(from: suspect, to: target, reason, content: content)
            case .unknown(let text): stay(suspect, "\(reason); generation \(target): \(text)")
            case .bad(let text):
                if samples.isEmpty {
                    markBad(target, text, content: false)
                    if let next = older(than: target) {
                        return compare(suspect, with: next, samples, reason, content: content)
                    }
                }
                stay(suspect, "\(reason); generation \(target) fares no better: \(text)")
            }
        }
    }

    /// The suspicion was not confirmed. Next time more is needed, so that canaries cannot be kept busy.
    func stay(_ generation: UInt64, _ reason: String) {
        state = .idle
        crashes = 0
        crashLimit = min(1_000, crashLimit * 2)
        samples = []
        lastRefusal = (Clock.realtime, "generation \(generation) stays in use: \(reason)")
        log().error("generation \(generation) stays in use: \(reason)")
    }

    /// The previous generation, or the newest older one, as far as they are not known to be bad.
    func older(than generation: UInt64) -> UInt64? {
        let numbers = ((try? store.numbers()) ?? []).filter { $0 < generation && !isBad($0) }
        return previous.flatMap { isBad($0) || $0 == generation ? nil : $0 } ?? numbers.last
    }

    func goBack(from failed: UInt64, to target: UInt64, _ reason: String, content: Bool) {
        // An administrator, or another offer, was faster.
        guard current == failed else { return }
        previous = nil
        let line = "generation \(failed) is left for generation \(target): \(reason)"
        lastRefusal = (Clock.realtime, line)
        markBad(failed, reason, content: content)
        if let text = use(target) {
            log().error("\(line); going back failed: \(text)")
        } else {
            lastSwap = (Clock.realtime, target)
            // What was counted with the bad one is no measure for the next.
            countedBefore = Dictionary(pool.shared.map { ($0.id, $0.statistics) }) { $1 }
            log().error(line)
        }
        raise(.refused, "generation \(failed)", line)
    }

    // MARK: - What is known as bad

    func isBad(_ generation: UInt64) -> Bool {
        bad.contains(generation) || store.badness(of: generation, content: "") != nil
    }

    /// Remembers it beyond the end of this process, so that nobody tries it again.
    ///
    /// - Parameter hasContent: nor what has the same content.
    func markBad(_ generation: UInt64, _ reason: String, content hasContent: Bool) {
        bad.insert(generation)
        do throws(GenerationError) {
            try store.markBad(
                BadGeneration(
                    number: generation, time: Clock.realtime / 1_000_000_000,
                    content: hasContent ? content(store, generation) : "",
                    reason: reason))
        } catch {
            log().error("that generation \(generation) is bad cannot be remembered: \(error)")
        }
    }
}
