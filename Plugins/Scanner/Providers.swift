import CModuleABI
import ModuleKit

/// A module that opens containers (em.container/1).
struct Container {
    let instance: OpaquePointer
    let table: UnsafePointer<em_container_v1>

    enum Opening {
        case cursor(Cursor)
        case failed(em_status)
    }

    /// How sure it is that it can open the object, 0…100.
    func identify(_ scan: ScanContext, _ object: inout em_object, _ type: inout UInt32) -> UInt32 {
        table.pointee.identify(instance, scan.handle, &object, &type)
    }

    /// Opens it; object stays where it is until the cursor is closed.
    func open(_ scan: ScanContext, _ object: UnsafePointer<em_object>) -> Opening {
        var raw: OpaquePointer?
        let status = table.pointee.open(instance, scan.handle, object, &raw)
        guard status == EM_OK, let raw else { return .failed(status == EM_OK ? EM_E_INTERNAL : status) }
        return .cursor(Cursor(raw, table))
    }
}

/// A container that is being unpacked.
final class Cursor {
    private var raw: OpaquePointer?
    private let table: UnsafePointer<em_container_v1>
    var isDone = false

    init(_ raw: OpaquePointer, _ table: UnsafePointer<em_container_v1>) {
        self.raw = raw
        self.table = table
    }

    /// Submits the next children; EM_END when there are no more.
    func next() -> em_status {
        guard let raw, !isDone else { return EM_END }
        return table.pointee.next(raw)
    }

    /// Frees it; once.
    func close() {
        guard let raw else { return }
        self.raw = nil
        table.pointee.close(raw)
    }

    deinit {
        close()
    }
}

/// One scan's view of a module that looks at objects (em.analyse/1).
final class Analysis {
    private let raw: OpaquePointer
    private let table: UnsafePointer<em_analyse_v1>

    private init(_ raw: OpaquePointer, _ table: UnsafePointer<em_analyse_v1>) {
        self.raw = raw
        self.table = table
    }

    /// nil when the module has nothing to do for this scan.
    static func begin(
        _ instance: OpaquePointer, _ table: UnsafePointer<em_analyse_v1>, _ scan: ScanContext
    ) throws(ModuleError) -> Analysis? {
        var raw: OpaquePointer?
        let status = table.pointee.begin(instance, scan.handle, &raw)
        if status == EM_E_UNSUPPORTED { return nil }
        guard status == EM_OK, let raw else { throw ModuleError(status == EM_OK ? EM_E_INTERNAL : status) }
        return Analysis(raw, table)
    }

    func object(
        _ object: UnsafePointer<em_object>, _ parent: UnsafePointer<em_object>?, _ phase: UInt32
    ) -> em_status {
        table.pointee.object(raw, object, parent, phase)
    }

    func end() {
        table.pointee.end(raw)
    }
}
