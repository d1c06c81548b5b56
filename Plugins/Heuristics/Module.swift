import BytesE
package import CModuleABI
import CompoundFiles
import ModuleKit

/// The instance of em004: it has no state beside the host's services.
final class Heuristics {
    let services: HostServices

    init(_ services: HostServices) {
        self.services = services
    }
}

/// Checks that the heuristics see what they must and leave alone what they must: the first failure as a sentence.
package func heuristicsSelfTest() -> StaticString? {
    var bad = ObjectFacts(
        name: ByteView("invoice.pdf.exe"), content: .windowsProgram, isAttachment: true, isInMail: true)
    if !bad.suspicions.contains(Suspicion(kind: .doubleExtension, score: 100)) {
        return "a program named as a document was not recognised"
    }
    bad = ObjectFacts(name: ByteView("picture.jpg"), content: .windowsProgram)
    if !bad.suspicions.contains(Suspicion(kind: .disguisedProgram, score: 100)) {
        return "a program behind a picture's name was not recognised"
    }
    let good = ObjectFacts(
        name: ByteView("minutes 2026-11-21.pdf"), type: EM_TYPE_PDF, declared: ByteView("application/pdf"),
        isAttachment: true,
        isInMail: true)
    if !good.suspicions.isEmpty { return "an ordinary document was suspected" }
    // "#aaabcdefaaaaghij": the beginning of the example of MS-OVBA 3.2.3.
    let packed: InlineArray<21, UInt8> = [
        0x01, 0x12, 0xb0, 0x00, 0x23, 0x61, 0x61, 0x61, 0x62, 0x63, 0x64, 0x65, 0x82, 0x66, 0x00, 0x70, 0x61, 0x67,
        0x68,
        0x69, 0x6a,
    ]
    let view = packed.span.withUnsafeBufferPointer { decompressedMacros(ByteView($0), limit: 64) }
    if !view.withUnsafeBufferPointer({ ByteView($0).equals(ByteView("#aaabcdefaaaaghij")) }) {
        return "a macro's source was not expanded"
    }
    return nil
}

// The tables of em004, as the ABI wants them: globals, so that loading allocates nothing.

nonisolated(unsafe) private var services: InlineArray<9, UnsafePointer<CChar>?> = [
    cString("em.host.log/1"), cString("em.host.memory/1"), cString("em.host.budget/1"),
    cString("em.host.submit/1"), cString("em.host.report/1"), cString("em.host.option/1"),
    cString("em.host.module/1"), cString("em.host.data/1"), nil,
]

nonisolated(unsafe) private var module = em_module(
    magic: EM_MODULE_MAGIC, struct_size: UInt32(MemoryLayout<em_module>.size),
    abi_major: UInt16(EM_ABI_MAJOR), abi_minor: UInt16(EM_ABI_MINOR), min_host_minor: 0, flags: 0,
    id: cString("em004.heuristics"), version: cString("1.0.0"),
    requires_services: UnsafeRawPointer(address(ofGlobal: &services)).assumingMemoryBound(
        to: UnsafePointer<CChar>?.self),
    init: { host, _, out in
        guard let services = HostServices(host), let out else { return EM_E_STATE }
        out.pointee = retain(Heuristics(services))
        return EM_OK
    },
    deinit: { instance in release(Heuristics.self, instance) },
    interface: { _, id in
        if equals(id, "em.analyse/1") { return UnsafeRawPointer(address(ofGlobal: &analyseTable)) }
        if equals(id, "em.selftest/1") { return UnsafeRawPointer(address(ofGlobal: &selfTestTable)) }
        return nil
    })

nonisolated(unsafe) private var analyseTable = em_analyse_v1(
    begin: { instance, scan, out in
        guard let instance, let scan, let out else { return EM_E_ARGUMENT }
        let context = ScanContext(scan, borrow(Heuristics.self, instance).services)
        guard context.number("av_scan_heur", otherwise: 1) != 0, context.number("av_scan_adv_heur", otherwise: 1) != 0
        else { return EM_E_UNSUPPORTED }
        out.pointee = retain(Analysis(context))
        return EM_OK
    },
    object: { analysis, object, parent, phase in
        guard let analysis, let object else { return EM_E_ARGUMENT }
        do throws(ModuleError) {
            try borrow(Analysis.self, analysis).see(object.pointee, parent: parent?.pointee, phase: phase)
            return EM_OK
        } catch {
            return error.status
        }
    },
    end: { analysis in release(Analysis.self, analysis) })

nonisolated(unsafe) private var selfTestTable = em_selftest_v1(run: { _, buffer, capacity, length in
    guard let failure = heuristicsSelfTest() else { return EM_OK }
    writeReason(failure, buffer, capacity, length)
    return EM_E_INTERNAL
})

/// The module table of em004, which the entry point hands out.
package func heuristicsModule() -> UnsafePointer<em_module>? {
    address(ofGlobal: &module)
}
