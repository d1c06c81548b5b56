import BytesE
package import CModuleABI
import ModuleKit
import Unpacking

/// The instance of em003: it has no state beside the host's services.
final class Archives {
    let services: HostServices

    init(_ services: HostServices) {
        self.services = services
    }
}

// The tables of em003, as the ABI wants them: globals, so that loading allocates nothing.

nonisolated(unsafe) private var services: InlineArray<9, UnsafePointer<CChar>?> = [
    cString("em.host.log/1"), cString("em.host.memory/1"), cString("em.host.budget/1"),
    cString("em.host.submit/1"), cString("em.host.report/1"), cString("em.host.option/1"),
    cString("em.host.module/1"), cString("em.host.data/1"), nil,
]

/// The names of the registry, and nil behind them.
nonisolated(unsafe) private var formats = formatNames()

private func formatNames() -> InlineArray<128, UnsafePointer<CChar>?> {
    var names = InlineArray<128, UnsafePointer<CChar>?>(repeating: nil)
    var count = 0
    forEachExtractor { extractor in
        guard count < names.count - 1 else { return }
        names[count] = cString(extractor.name)
        count += 1
    }
    return names
}

nonisolated(unsafe) private var module = em_module(
    magic: EM_MODULE_MAGIC, struct_size: UInt32(MemoryLayout<em_module>.size),
    abi_major: UInt16(EM_ABI_MAJOR), abi_minor: UInt16(EM_ABI_MINOR), min_host_minor: 0, flags: 0,
    id: cString("em003.archives"), version: cString("1.0.0"),
    requires_services: UnsafeRawPointer(address(ofGlobal: &services)).assumingMemoryBound(
        to: UnsafePointer<CChar>?.self),
    init: { host, _, out in
        guard let services = HostServices(host), let out else { return EM_E_STATE }
        out.pointee = retain(Archives(services))
        return EM_OK
    },
    deinit: { instance in release(Archives.self, instance) },
    interface: { _, id in
        if equals(id, "em.container/1") { return UnsafeRawPointer(address(ofGlobal: &containerTable)) }
        if equals(id, "em.selftest/1") { return UnsafeRawPointer(address(ofGlobal: &selfTestTable)) }
        return nil
    })

nonisolated(unsafe) private var containerTable = em_container_v1(
    struct_size: UInt32(MemoryLayout<em_container_v1>.size), reserved: 0,
    formats: UnsafeRawPointer(address(ofGlobal: &formats)).assumingMemoryBound(to: UnsafePointer<CChar>?.self),
    identify: { instance, scan, object, type in
        guard let instance, let scan, let object else { return 0 }
        let context = ScanContext(scan, borrow(Archives.self, instance).services)
        let formats = claimedFormats(context, object.pointee)
        guard let first = formats.first else { return 0 }
        type?.pointee = first.claim.type
        return formats.reduce(0) { max($0, $1.claim.sureness) }
    },
    open: { instance, scan, object, out in
        guard let instance, let scan, let object, let out else { return EM_E_ARGUMENT }
        let context = ScanContext(scan, borrow(Archives.self, instance).services)
        do throws(ModuleError) {
            guard let unpacker = try unpacker(context, object) else { return EM_E_UNSUPPORTED }
            out.pointee = retain(unpacker)
            return EM_OK
        } catch {
            return error.status
        }
    },
    next: { cursor in
        guard let cursor else { return EM_E_ARGUMENT }
        do throws(ModuleError) {
            return try borrow(Unpacker.self, cursor).next() ? EM_OK : EM_END
        } catch {
            return error.status
        }
    },
    close: { cursor in release(Unpacker.self, cursor) })

nonisolated(unsafe) private var selfTestTable = em_selftest_v1(run: { _, buffer, capacity, length in
    guard let failure = archivesSelfTest() else { return EM_OK }
    writeReason(failure, buffer, capacity, length)
    return EM_E_INTERNAL
})

/// The module table of em003, which the entry point hands out.
package func archivesModule() -> UnsafePointer<em_module>? {
    address(ofGlobal: &module)
}
