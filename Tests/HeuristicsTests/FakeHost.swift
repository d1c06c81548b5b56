// swift-format-ignore-file: NeverForceUnwrap
import CModuleABI
import Glibc

/// A host just good enough to drive an analysing module through its C tables.
final class FakeHost {
    var numbers: [String: Int64] = [:]
    var texts: [String: String] = [:]
    var data: [String: [UInt8]] = [:]
    /// DNS answers by name: nil text = the name does not exist. Names not listed fail.
    var answers: [String: String?] = [:]
    /// Whether answers are there at once, or only after a suspension.
    var answersAtOnce = false

    private(set) var findings: [Found] = []
    private(set) var marks: [UInt64: UInt32] = [:]
    private(set) var asked: [String] = []
    private(set) var log: [String] = []
    private var known: Set<String> = []
    private var kept: [UnsafeMutablePointer<UInt8>] = []
    private var host = UnsafeMutablePointer<em_host>.allocate(capacity: 1)

    struct Found: Equatable {
        let kind: UInt32
        let object: UInt64
        let name: String
        let score: Int32
    }

    init() {
        host.initialize(
            to: em_host(
                struct_size: UInt32(MemoryLayout<em_host>.size), abi_major: 1, abi_minor: 0,
                ctx: OpaquePointer(Unmanaged.passUnretained(self).toOpaque()), service: { _, id in fakeService(id) }))
    }

    deinit {
        for memory in kept { memory.deallocate() }
        host.deallocate()
    }

    var pointer: UnsafePointer<em_host> { UnsafePointer(host) }
    var scan: OpaquePointer { OpaquePointer(Unmanaged.passUnretained(self).toOpaque()) }

    func forget() {
        findings = []
        marks = [:]
        asked = []
        known = []
    }

    /// Lends a copy that lives as long as the host.
    func lend(_ bytes: [UInt8]) -> em_slice {
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, bytes.count))
        memory.initialize(from: bytes, count: bytes.count)
        kept.append(memory)
        return em_slice(ptr: memory, len: UInt64(bytes.count))
    }

    func found(_ name: String) -> Found? { findings.first { $0.name == name } }

    // MARK: What the services do

    fileprivate func report(_ finding: em_finding) {
        findings.append(
            Found(kind: finding.kind, object: finding.object, name: string(finding.name), score: finding.score))
    }

    fileprivate func mark(_ id: UInt64, _ flags: UInt32) { marks[id, default: 0] |= flags }

    fileprivate func ask(_ keys: [String]) -> em_status {
        let unknown = keys.filter { !known.contains($0) }
        asked.append(contentsOf: unknown)
        known.formUnion(unknown)
        return unknown.isEmpty || answersAtOnce ? EM_OK : EM_SUSPENDED
    }

    fileprivate func answer(_ key: String, _ out: UnsafeMutablePointer<em_answer>) -> em_status {
        guard known.contains(key) else { return EM_E_STATE }
        guard let answer = answers[key] else {
            out.pointee.result = EM_ANSWER_FAILED
            return EM_OK
        }
        out.pointee.result = answer == nil ? EM_ANSWER_NONE : EM_ANSWER_FOUND
        out.pointee.text = lend(Array((answer ?? "").utf8))
        return EM_OK
    }

    fileprivate func write(_ text: String) { log.append(text) }
}

func string(_ slice: em_slice) -> String {
    String(decoding: UnsafeBufferPointer(start: slice.ptr, count: Int(slice.len)), as: UTF8.self)
}

private func fake(_ scan: OpaquePointer?) -> FakeHost {
    Unmanaged<FakeHost>.fromOpaque(UnsafeRawPointer(scan!)).takeUnretainedValue()
}

nonisolated(unsafe) private var log = em_host_log_v1(write: { host, _, text in
    fake(host!.pointee.ctx).write(string(text))
})
nonisolated(unsafe) private var memory = em_host_memory_v1(
    alloc: { _, _ in nil }, resize: { _, _, _ in EM_E_MEMORY }, mark: { _ in 0 }, release: { _, _ in })
nonisolated(unsafe) private var budget = em_host_budget_v1(
    check: { _ in EM_OK }, left: { _, _, _ in .max }, exceeded: { _, _, _ in })
nonisolated(unsafe) private var submit = em_host_submit_v1(
    submit: { _, _, _ in EM_E_LIMIT }, take: { _, _ in EM_END })
nonisolated(unsafe) private var report = em_host_report_v1(
    finding: { scan, finding in
        fake(scan).report(finding!.pointee)
        return EM_OK
    },
    object: { scan, id, _, flags in
        fake(scan).mark(id, flags)
        return EM_OK
    })
nonisolated(unsafe) private var option = em_host_option_v1(
    number: { scan, name, otherwise in fake(scan).numbers[String(cString: name!)] ?? otherwise },
    text: { scan, name in
        guard let text = fake(scan).texts[String(cString: name!)] else { return em_slice() }
        return fake(scan).lend(Array(text.utf8))
    })
nonisolated(unsafe) private var module = em_host_module_v1(provider: { _, _, _, _ in EM_END })
nonisolated(unsafe) private var data = em_host_data_v1(find: { host, id, out in
    let owner = fake(host!.pointee.ctx)
    guard let bytes = owner.data[String(cString: id!)] else { return EM_E_DATA }
    // Sections are read in place, so the copy must be aligned as a mapping is.
    let memory = aligned_alloc(64, (bytes.count + 63) & ~63)!
    memory.copyMemory(from: bytes, byteCount: bytes.count)
    out!.pointee = em_slice(ptr: memory.assumingMemoryBound(to: UInt8.self), len: UInt64(bytes.count))
    return EM_OK
})
nonisolated(unsafe) private var asking = em_host_ask_v1(
    ask: { scan, questions, count in
        fake(scan).ask((0..<Int(count)).map { string(questions![$0].key) })
    },
    answer: { scan, question, out in fake(scan).answer(string(question!.pointee.key), out!) })

private func fakeService(_ id: UnsafePointer<CChar>?) -> UnsafeRawPointer? {
    switch String(cString: id!) {
    case "em.host.log/1": UnsafeRawPointer(withUnsafePointer(to: &log) { $0 })
    case "em.host.memory/1": UnsafeRawPointer(withUnsafePointer(to: &memory) { $0 })
    case "em.host.budget/1": UnsafeRawPointer(withUnsafePointer(to: &budget) { $0 })
    case "em.host.submit/1": UnsafeRawPointer(withUnsafePointer(to: &submit) { $0 })
    case "em.host.report/1": UnsafeRawPointer(withUnsafePointer(to: &report) { $0 })
    case "em.host.option/1": UnsafeRawPointer(withUnsafePointer(to: &option) { $0 })
    case "em.host.module/1": UnsafeRawPointer(withUnsafePointer(to: &module) { $0 })
    case "em.host.data/1": UnsafeRawPointer(withUnsafePointer(to: &data) { $0 })
    case "em.host.ask/1": UnsafeRawPointer(withUnsafePointer(to: &asking) { $0 })
    default: nil
    }
}
