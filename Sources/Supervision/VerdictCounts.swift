import ScanProtocol

/// Verdicts, and those among them with parts that were not scanned.
struct VerdictCounts: Equatable {
    /// Fewer say nothing.
    static let enough: UInt64 = 50

    var scanned: UInt64 = 0
    var incomplete: UInt64 = 0

    var isEnough: Bool { scanned >= VerdictCounts.enough }

    /// What a process counted since an earlier look. It may say anything.
    static func since(_ earlier: WorkerStatistics?, _ now: WorkerStatistics) -> VerdictCounts {
        let earlier = earlier ?? WorkerStatistics()
        let scanned = now.scanned >= earlier.scanned ? now.scanned - earlier.scanned : 0
        let incomplete = now.incomplete >= earlier.incomplete ? now.incomplete - earlier.incomplete : 0
        return VerdictCounts(scanned: scanned, incomplete: min(incomplete, scanned))
    }

    static func + (a: VerdictCounts, b: VerdictCounts) -> VerdictCounts {
        let (scanned, isTooMuch) = a.scanned.addingReportingOverflow(b.scanned)
        let (incomplete, isTooMany) = a.incomplete.addingReportingOverflow(b.incomplete)
        return VerdictCounts(scanned: isTooMuch ? .max : scanned, incomplete: isTooMany ? .max : incomplete)
    }

    /// Whether so much more was not scanned than before that it needs an explanation: `points` percentage points more, and
    /// twice as much. Without a history a tenth is taken for usual.
    func isJump(from before: VerdictCounts, points: Int) -> Bool {
        guard points > 0, isEnough else { return false }
        let now = Double(incomplete) / Double(scanned)
        let usual = (Double(before.incomplete) + 1) / (Double(before.scanned) + 10)
        return now >= usual + Double(points) / 100 && now >= 2 * usual
    }

    /// "12 of 80".
    var text: String { "\(incomplete) of \(scanned)" }
}
