import BytesE
import CModuleABI
import ModuleKit

/// A module for tests: every object whose data holds the word EVIL is infected with "Test.Evil", at the place where
/// the word stands.
func detectorModule() -> UnsafePointer<em_module>? { address(ofGlobal: &module) }

private final class Detector {
    let services: HostServices
    init(_ services: HostServices) { self.services = services }
}

private final class Detection {
    let scan: ScanContext
    init(_ scan: ScanContext) { self.scan = scan }

    func object(_ object: em_object, _ phase: UInt32) -> em_status {
        guard phase == EM_PHASE_ENTER, let place = ByteView(object.data).firstIndex(of: ByteView("EVIL")) else {
            return EM_OK
        }
        scan.report(
            EM_FINDING_INFECTED, object: object.id, name: ByteView("Test.Evil"), source: ByteView("test"),
            offset: UInt64(place))
        return EM_OK
    }
}

nonisolated(unsafe) private var module = em_module(
    magic: EM_MODULE_MAGIC, struct_size: UInt32(MemoryLayout<em_module>.size), abi_major: 1, abi_minor: 0,
    min_host_minor: 0, flags: 0, id: cString("em101.detector"), version: cString("1"), requires_services: nil,
    init: { host, _, out in
        guard let services = HostServices(host) else { return EM_E_STATE }
        out?.pointee = retain(Detector(services))
        return EM_OK
    },
    deinit: { release(Detector.self, $0) },
    interface: { _, id in
        equals(id, "em.analyse/1") ? UnsafeRawPointer(address(ofGlobal: &analyse)) : nil
    })

nonisolated(unsafe) private var analyse = em_analyse_v1(
    begin: { instance, scan, out in
        guard let instance, let scan else { return EM_E_ARGUMENT }
        out?.pointee = retain(Detection(ScanContext(scan, borrow(Detector.self, instance).services)))
        return EM_OK
    },
    object: { analysis, object, _, phase in
        guard let analysis, let object else { return EM_E_ARGUMENT }
        return borrow(Detection.self, analysis).object(object.pointee, phase)
    },
    end: { release(Detection.self, $0) })
