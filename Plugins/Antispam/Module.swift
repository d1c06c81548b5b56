import BytesE
package import CModuleABI
import ModuleKit
import TokensE

/// The instance of em005: the host's services and the database of this generation.
final class Engine {
    let services: HostServices
    /// nil when the generation has none: then only lists and GTUBE judge.
    let database: AntispamDatabase?
    let search: LiteralSearch?

    /// A missing database is said in the log; a damaged one is an error.
    init(_ services: HostServices) throws(ModuleError) {
        self.services = services
        var bytes = ByteView()
        do throws(ModuleError) {
            bytes = try services.dataModule("em006")
        } catch {
            services.log(EM_LOG_WARNING, ByteView("em005: there is no em006: messages are judged without rules"))
            database = nil
            search = nil
            return
        }
        do throws(DatabaseDefect) {
            let opened = try AntispamDatabase(bytes)
            database = opened
            search = LiteralSearch(opened)
        } catch {
            services.log(EM_LOG_ERROR, ByteView(error.sentence))
            throw .data
        }
    }

    /// Checks that the engine reads messages as it must: the first failure as a sentence.
    func selfTest() -> StaticString? {
        let spam = ByteView(
            "From: a@example.org\r\nSubject: test\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EM=\r\nAIL*C.34X</p>"
        )
        if !holdsGTUBE(MessageContent(spam)) { return "GTUBE was not found" }
        let ham = MessageContent(ByteView("From: a@example.org\r\nSubject: lunch\r\n\r\nAt noon?\r\n"))
        if holdsGTUBE(ham) { return "GTUBE was found where it is not" }
        if ham.tokens().isEmpty { return "a message has no tokens" }
        guard let database, let search else { return nil }
        var evaluation = RuleEvaluation(database, search, ham, Envelope(), probability: nil)
        _ = evaluation.run()
        return nil
    }
}

// The tables of em005, as the ABI wants them: globals, so that loading allocates nothing.

nonisolated(unsafe) private var services: InlineArray<9, UnsafePointer<CChar>?> = [
    cString("em.host.log/1"), cString("em.host.memory/1"), cString("em.host.budget/1"),
    cString("em.host.submit/1"), cString("em.host.report/1"), cString("em.host.option/1"),
    cString("em.host.module/1"), cString("em.host.data/1"), nil,
]

nonisolated(unsafe) private var module = em_module(
    magic: EM_MODULE_MAGIC, struct_size: UInt32(MemoryLayout<em_module>.size),
    abi_major: UInt16(EM_ABI_MAJOR), abi_minor: UInt16(EM_ABI_MINOR), min_host_minor: 0, flags: 0,
    id: cString("em005.antispam"), version: cString("1.0.0"),
    requires_services: UnsafeRawPointer(address(ofGlobal: &services)).assumingMemoryBound(
        to: UnsafePointer<CChar>?.self),
    init: { host, _, out in
        guard let services = HostServices(host), let out else { return EM_E_STATE }
        do throws(ModuleError) {
            out.pointee = retain(try Engine(services))
            return EM_OK
        } catch {
            return error.status
        }
    },
    deinit: { instance in release(Engine.self, instance) },
    interface: { _, id in
        if equals(id, "em.analyse/1") { return UnsafeRawPointer(address(ofGlobal: &analyseTable)) }
        if equals(id, "em.selftest/1") { return UnsafeRawPointer(address(ofGlobal: &selfTestTable)) }
        return nil
    })

nonisolated(unsafe) private var analyseTable = em_analyse_v1(
    begin: { instance, scan, out in
        guard let instance, let scan, let out else { return EM_E_ARGUMENT }
        let engine = borrow(Engine.self, instance)
        let context = ScanContext(scan, engine.services)
        guard context.number("antispam", otherwise: 0) != 0 else { return EM_E_UNSUPPORTED }
        out.pointee = retain(Analysis(engine, context))
        return EM_OK
    },
    object: { analysis, object, _, phase in
        guard let analysis, let object else { return EM_E_ARGUMENT }
        do throws(ModuleError) {
            return try borrow(Analysis.self, analysis).see(object.pointee, phase: phase)
        } catch {
            return error.status
        }
    },
    end: { analysis in release(Analysis.self, analysis) })

nonisolated(unsafe) private var selfTestTable = em_selftest_v1(run: { instance, buffer, capacity, length in
    guard let instance else { return EM_E_ARGUMENT }
    guard let failure = borrow(Engine.self, instance).selfTest() else { return EM_OK }
    writeReason(failure, buffer, capacity, length)
    return EM_E_INTERNAL
})

/// The module table of em005, which the entry point hands out.
package func antispamModule() -> UnsafePointer<em_module>? {
    address(ofGlobal: &module)
}
