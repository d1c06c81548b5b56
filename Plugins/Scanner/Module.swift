package import CModuleABI
import ModuleKit

// The tables of em001, as the ABI wants them: globals, so that loading allocates nothing.

nonisolated(unsafe) private var services: InlineArray<9, UnsafePointer<CChar>?> = [
    cString("em.host.log/1"), cString("em.host.memory/1"), cString("em.host.budget/1"),
    cString("em.host.submit/1"), cString("em.host.report/1"), cString("em.host.option/1"),
    cString("em.host.module/1"), cString("em.host.data/1"), nil,
]

nonisolated(unsafe) private var module = em_module(
    magic: EM_MODULE_MAGIC, struct_size: UInt32(MemoryLayout<em_module>.size),
    abi_major: UInt16(EM_ABI_MAJOR), abi_minor: UInt16(EM_ABI_MINOR), min_host_minor: 0, flags: 0,
    id: cString("em001.scanner"), version: cString("1.0.0"),
    requires_services: UnsafeRawPointer(address(ofGlobal: &services)).assumingMemoryBound(
        to: UnsafePointer<CChar>?.self),
    init: { host, _, out in
        guard let services = HostServices(host), let out else { return EM_E_STATE }
        do throws(ModuleError) {
            out.pointee = retain(try Scanner(services))
            return EM_OK
        } catch {
            return error.status
        }
    },
    deinit: { instance in release(Scanner.self, instance) },
    interface: { _, id in
        if equals(id, "em.scan/1") { return UnsafeRawPointer(address(ofGlobal: &scanTable)) }
        if equals(id, "em.selftest/1") { return UnsafeRawPointer(address(ofGlobal: &selfTestTable)) }
        return nil
    })

nonisolated(unsafe) private var scanTable = em_scan_v1(
    open: { instance, scan, root, out in
        guard let instance, let scan, let root, let out else { return EM_E_ARGUMENT }
        let scanner = borrow(Scanner.self, instance)
        out.pointee = retain(Session(scanner, ScanContext(scan, scanner.services), root: root.pointee))
        return EM_OK
    },
    run: { session in
        guard let session else { return EM_E_ARGUMENT }
        return borrow(Session.self, session).run()
    },
    close: { session in
        guard let session else { return }
        borrow(Session.self, session).close()
        release(Session.self, session)
    })

nonisolated(unsafe) private var selfTestTable = em_selftest_v1(run: { instance, buffer, capacity, length in
    guard let instance else { return EM_E_ARGUMENT }
    guard let failure = borrow(Scanner.self, instance).selfTest() else { return EM_OK }
    writeReason(failure, buffer, capacity, length)
    return EM_E_INTERNAL
})

/// The module table of em001, which the entry point hands out.
package func scannerModule() -> UnsafePointer<em_module>? {
    address(ofGlobal: &module)
}
