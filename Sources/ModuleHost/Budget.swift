import CModuleABI
import Platform

/// Counts what a scan uses against its limits. The host alone does it, so that no module can forget.
struct Budget {
    let limits: ScanLimits
    private let totalLimit: UInt64
    private(set) var objects: UInt32 = 0
    private(set) var total: UInt64 = 0
    /// Bytes of children that lay in their parents.
    private var inPlace: UInt64 = 0
    /// How often the bytes that a scan may have altogether may be looked at again, as parts of each other.
    private static let views: UInt64 = 4
    private let rootSize: UInt64
    private var deadline: UInt64?
    private(set) var isOutOfTime = false
    var isCancelled = false
    /// Asked at each check: whether the result is not wanted any more.
    var stop: (@Sendable () -> Bool)?

    init(_ limits: ScanLimits, rootSize: UInt64) {
        self.limits = limits
        self.rootSize = rootSize
        let byRatio = rootSize.multipliedReportingOverflow(by: limits.ratio)
        let ratio = max(byRatio.overflow ? .max : byRatio.partialValue, ScanLimits.ratioFloor)
        totalLimit = min(limits.totalSize, ratio)
        isRatioTighter = ratio < limits.totalSize
    }

    private let isRatioTighter: Bool

    /// Work goes on; `spent` nanoseconds were used before.
    mutating func begin(at now: UInt64, spent: UInt64) {
        guard let time = limits.time else { return }
        let (moment, overflow) = now.addingReportingOverflow(time > spent ? time - spent : 0)
        deadline = overflow ? nil : moment
    }

    mutating func check() -> em_status {
        if isCancelled || stop?() == true { return EM_E_CANCELLED }
        guard let deadline, Clock.now >= deadline else { return EM_OK }
        isOutOfTime = true
        isCancelled = true
        return EM_E_CANCELLED
    }

    func left(_ kind: UInt32, depth: UInt32, memory: Int) -> UInt64 {
        switch kind {
        case EM_BUDGET_TIME:
            guard let deadline else { return .max }
            let now = Clock.now
            return deadline > now ? deadline - now : 0
        case EM_BUDGET_MEMORY: return UInt64(max(0, memory))
        case EM_BUDGET_OBJECTS: return UInt64(limits.objects - min(limits.objects, objects))
        case EM_BUDGET_DEPTH: return UInt64(limits.depth - min(limits.depth, depth))
        case EM_BUDGET_SIZE: return limits.objectSize
        case EM_BUDGET_TOTAL: return totalLimit - min(totalLimit, total)
        default: return .max
        }
    }

    /// Accounts for a child; the name of the limit that refuses it, or nil. Bytes that lie in place in their
    /// parent were counted with it and cost no memory, but looking at them takes time: tables of files may name the
    /// same place ten thousand times.
    mutating func accept(size: UInt64, depth: UInt32, inPlace isInPlace: Bool) -> String? {
        guard depth <= limits.depth else { return "depth" }
        guard objects < limits.objects else { return "number of objects" }
        guard size <= limits.objectSize else { return "object size" }
        let cost = isInPlace ? 0 : size
        guard cost <= totalLimit - min(totalLimit, total) else { return totalName }
        if isInPlace {
            guard inPlace / Self.views <= max(limits.totalSize, rootSize) else { return "total size" }
            inPlace += min(size, 1 << 50)
        }
        objects += 1
        total += cost
        return nil
    }

    /// The name of a limit, for verdicts.
    func name(_ kind: UInt32) -> String {
        switch kind {
        case EM_BUDGET_TIME: "time"
        case EM_BUDGET_MEMORY: "memory"
        case EM_BUDGET_OBJECTS: "number of objects"
        case EM_BUDGET_DEPTH: "depth"
        case EM_BUDGET_SIZE: "object size"
        case EM_BUDGET_TOTAL: totalName
        default: "kind \(kind)"
        }
    }

    private var totalName: String { isRatioTighter ? "expansion ratio" : "total size" }
}
