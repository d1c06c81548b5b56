import CModuleABI
import Synchronization

/// What one loaded module knows as its host.
final class HostContext: Sendable {
    /// Set for as long as the module is initialised; unowned, because the generation owns the context.
    private let owner = Mutex<WeakGeneration>(WeakGeneration(generation: nil))
    let moduleName: String
    private let log: @Sendable (_ level: UInt32, _ text: String) -> Void
    let counters = Mutex<[String: UInt64]>([:])

    private struct WeakGeneration: @unchecked Sendable {
        weak var generation: Generation?
    }

    init(moduleName: String, log: @escaping @Sendable (UInt32, String) -> Void) {
        self.moduleName = moduleName
        self.log = log
    }

    static func of(_ host: UnsafePointer<em_host>?) -> HostContext? {
        guard let context = host?.pointee.ctx else { return nil }
        return Unmanaged<HostContext>.fromOpaque(UnsafeRawPointer(context)).takeUnretainedValue()
    }

    var generation: Generation? { owner.withLock { $0.generation } }

    func attach(_ generation: Generation) {
        owner.withLock { $0.generation = generation }
    }

    func write(_ level: UInt32, _ text: String) {
        log(level, "\(moduleName): \(text)")
    }

    func count(_ name: UnsafePointer<CChar>, _ amount: UInt64) {
        let name = String(cString: name)
        counters.withLock { $0[name, default: 0] &+= amount }
    }
}
