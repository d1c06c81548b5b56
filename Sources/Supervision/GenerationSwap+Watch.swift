import Generations
import Glibc
import Logging
import Platform
import ScanProtocol

// The time after a swap: when many more objects than before are not scanned, the generation is suspect. What came to be
// scanned may have changed as well, and processes may lie that were taken over; so new processes with both generations
// scan side by side, and only if the older one fares much better with the same mail, the manager goes back.
extension GenerationSwap {
    /// How long generations scan side by side at most.
    private static let comparison: UInt64 = 900 * 1_000_000_000

    /// A swap has just happened.
    func beginWatch() {
        let counts = pool.shared.map { VerdictCounts.since(countedBefore[$0.id], $0.statistics) }.reduce(.init(), +)
        // What is known of longer ago is better than nothing.
        if counts.isEnough || verdictsBefore.scanned == 0 { verdictsBefore = counts }
        countedBefore = Dictionary(pool.shared.map { ($0.id, $0.statistics) }) { $1 }
        swappedAt = Clock.now
        crashes = 0
    }

    /// Verdicts of the processes that serve with the generation in use, since the swap.
    var verdictsAfter: VerdictCounts {
        pool.shared.map { VerdictCounts.since(countedBefore[$0.id], $0.statistics) }.reduce(.init(), +)
    }

    /// For the status: what is watched, or "".
    var watchText: String {
        switch state {
        case .comparing(let suspect, let target, _, let reason):
            return "generation \(suspect) is compared with generation \(target): \(reason)"
        default:
            guard previous != nil, isOnProbation else { return "" }
            let left = (settings.watch &- (Clock.now &- swappedAt)) / 1_000_000_000
            return "\(left) seconds left, \(crashes) crashes, not scanned \(verdictsAfter.text), before "
                + verdictsBefore.text
        }
    }

    /// Processes told what they counted.
    func counted() {
        switch state {
        case .idle:
            guard previous != nil, isOnProbation, let suspect = current,
                verdictsAfter.isJump(from: verdictsBefore, points: settings.maximumNotScanned)
            else { return }
            compare(suspect)
        case .comparing(let suspect, let target, let worker, let reason):
            judge(suspect, target, worker, reason)
        default: break
        }
    }

    private func compare(_ suspect: UInt64) {
        let counts = verdictsAfter
        let reason =
            "\(counts.text) objects were not scanned, and \(verdictsBefore.text) before it came into use"
        guard let target = older(than: suspect) else { return }
        guard let worker = pool.beginTrial(of: target) else { return }
        // The processes are new: what they count begins at nothing.
        countedBefore = [:]
        state = .comparing(suspect: suspect, target: target, worker: worker, reason: reason)
        log().warning("generation \(suspect): \(reason). Generation \(target) scans beside it now, to compare")
        timer = loop.after(GenerationSwap.comparison) { [unowned self] in
            guard case .comparing(suspect, _, _, _) = state else { return }
            endComparison()
            // Nothing more will be known: only what is worse than that is suspect again.
            verdictsBefore = counts
            stay(suspect, "\(reason), but too little came to compare it with generation \(target)")
        }
    }

    private func judge(_ suspect: UInt64, _ target: UInt64, _ worker: Worker, _ reason: String) {
        let new = verdictsAfter
        let old = VerdictCounts.since(nil, worker.statistics)
        guard new.isEnough, old.isEnough else { return }
        let figures = "side by side \(new.text), and \(old.text) with generation \(target)"
        endComparison()
        if new.isJump(from: old, points: settings.maximumNotScanned) {
            goBack(from: suspect, to: target, "\(reason); \(figures)", content: true)
        } else {
            // That is usual now.
            verdictsBefore = new + old
            countedBefore = Dictionary(pool.shared.map { ($0.id, $0.statistics) }) { $1 }
            stay(suspect, "\(reason), but \(figures)")
        }
    }

    func endComparison() {
        guard case .comparing = state else { return }
        loop.remove(timer)
        state = .idle
        pool.endTrial()
    }
}
