package import BytesE
package import CModuleABI

/// The host as a module sees it: its services, looked up once at `init`.
///
/// Every module lists the services it cannot live without in `requires_services`; these lookups
/// fail only when the host breaks that promise.
package final class HostServices {
    package let host: UnsafePointer<em_host>
    package let memory: UnsafePointer<em_host_memory_v1>
    package let budget: UnsafePointer<em_host_budget_v1>
    package let submit: UnsafePointer<em_host_submit_v1>
    package let report: UnsafePointer<em_host_report_v1>
    package let option: UnsafePointer<em_host_option_v1>
    package let module: UnsafePointer<em_host_module_v1>
    package let data: UnsafePointer<em_host_data_v1>
    /// What the instance keeps for scans under way.
    package let openScans = OpenScans()
    private let logging: UnsafePointer<em_host_log_v1>
    private let asking: UnsafePointer<em_host_ask_v1>?

    /// Looks the services up; nil when one of the necessary ones is missing.
    package init?(_ host: UnsafePointer<em_host>?) {
        guard let host, let service = host.pointee.service else { return nil }
        guard let logging = service(host, cString("em.host.log/1")),
            let memory = service(host, cString("em.host.memory/1")),
            let budget = service(host, cString("em.host.budget/1")),
            let submit = service(host, cString("em.host.submit/1")),
            let report = service(host, cString("em.host.report/1")),
            let option = service(host, cString("em.host.option/1")),
            let module = service(host, cString("em.host.module/1")),
            let data = service(host, cString("em.host.data/1"))
        else { return nil }
        self.host = host
        self.logging = logging.assumingMemoryBound(to: em_host_log_v1.self)
        self.memory = memory.assumingMemoryBound(to: em_host_memory_v1.self)
        self.budget = budget.assumingMemoryBound(to: em_host_budget_v1.self)
        self.submit = submit.assumingMemoryBound(to: em_host_submit_v1.self)
        self.report = report.assumingMemoryBound(to: em_host_report_v1.self)
        self.option = option.assumingMemoryBound(to: em_host_option_v1.self)
        self.module = module.assumingMemoryBound(to: em_host_module_v1.self)
        self.data = data.assumingMemoryBound(to: em_host_data_v1.self)
        self.asking = service(host, cString("em.host.ask/1"))?.assumingMemoryBound(to: em_host_ask_v1.self)
    }

    /// Writes a line to the host's log.
    package func log(_ level: UInt32, _ text: ByteView) {
        logging.pointee.write(host, level, text.slice)
    }

    /// The content of a data module of this generation, e.g. "em002".
    package func dataModule(_ file: StaticString) throws(ModuleError) -> ByteView {
        var bytes = em_slice()
        let status = data.pointee.find(host, cString(file), &bytes)
        guard status == EM_OK else { throw ModuleError(status) }
        return ByteView(bytes)
    }

    /// The providers of an interface, in load order.
    package func providers(of interface: StaticString) -> [em_provider] {
        var result: [em_provider] = []
        while true {
            var provider = em_provider()
            provider.struct_size = UInt32(MemoryLayout<em_provider>.size)
            guard module.pointee.provider(host, cString(interface), UInt32(result.count), &provider) == EM_OK else {
                return result
            }
            result.append(provider)
        }
    }

    fileprivate var ask: UnsafePointer<em_host_ask_v1>? { asking }
}

/// One scan as a module sees it: the host's handle with its services.
package struct ScanContext {
    package let handle: OpaquePointer
    package let services: HostServices

    package init(_ handle: OpaquePointer, _ services: HostServices) {
        self.handle = handle
        self.services = services
    }

    // MARK: Budget

    /// Whether the scan may go on. Call it at least once for each 64 KiB and each element.
    @inline(__always) package func check() throws(ModuleError) {
        let status = services.budget.pointee.check(handle)
        if status != EM_OK { throw ModuleError(status) }
    }

    /// What is left of `EM_BUDGET_…`.
    package func left(_ kind: UInt32, for object: UnsafePointer<em_object>? = nil) -> UInt64 {
        services.budget.pointee.left(handle, object, kind)
    }

    /// Tells that a limit stopped the work on an object.
    package func exceeded(_ kind: UInt32, _ object: UnsafePointer<em_object>?) {
        services.budget.pointee.exceeded(handle, object, kind)
    }

    // MARK: Memory

    /// Zeroed memory of the scan's arena, aligned to 16.
    package func allocate(_ size: Int) throws(ModuleError) -> UnsafeMutableRawPointer {
        guard size >= 0, let memory = services.memory.pointee.alloc(handle, UInt64(size)) else { throw .memory }
        return memory
    }

    /// Resizes the newest allocation in place.
    package func resize(_ memory: UnsafeMutableRawPointer, to size: Int) throws(ModuleError) {
        let status = services.memory.pointee.resize(handle, memory, UInt64(max(0, size)))
        if status != EM_OK { throw ModuleError(status) }
    }

    // MARK: Objects and findings

    /// Offers a child; its id, parent and depth are filled in. A refusal by a limit throws `.limit`.
    package func submit(_ child: inout em_object, of parent: UnsafePointer<em_object>) throws(ModuleError) {
        child.struct_size = UInt32(MemoryLayout<em_object>.size)
        let status = services.submit.pointee.submit(handle, parent, &child)
        if status != EM_OK { throw ModuleError(status) }
    }

    /// Adds flags to an object, and sets its type unless `type` is EM_TYPE_UNKNOWN.
    package func mark(_ object: UInt64, type: UInt32 = EM_TYPE_UNKNOWN, flags: UInt32 = 0) {
        _ = services.report.pointee.object(handle, object, type, flags)
    }

    /// Reports a finding.
    package func report(
        _ kind: UInt32, object: UInt64, name: ByteView, source: ByteView = ByteView(),
        offset: UInt64 = .max, score: Int32 = 0
    ) {
        var finding = em_finding()
        finding.struct_size = UInt32(MemoryLayout<em_finding>.size)
        finding.kind = kind
        finding.object = object
        finding.name = name.slice
        finding.source = source.slice
        finding.offset = offset
        finding.score = score
        _ = services.report.pointee.finding(handle, &finding)
    }

    // MARK: Options

    /// A number option by its esets.cfg name.
    package func number(_ name: StaticString, otherwise: Int64) -> Int64 {
        services.option.pointee.number(handle, cString(name), otherwise)
    }

    /// A text option or envelope fact; empty when unset. Valid until the scan's end.
    package func text(_ name: StaticString) -> ByteView {
        ByteView(services.option.pointee.text(handle, cString(name)))
    }

    // MARK: Questions

    /// Asks. True: all answers are there. False: return EM_SUSPENDED and ask the same again later.
    package func ask(_ questions: [(kind: UInt32, key: [UInt8])]) throws(ModuleError) -> Bool {
        guard let ask = services.ask else { throw .unsupported }
        // One buffer for all keys, so that the pointers stay put during the call.
        let keys = questions.flatMap { $0.key }
        let status = keys.withUnsafeBufferPointer { buffer -> em_status in
            var offset = 0
            let list = questions.map { question in
                defer { offset += question.key.count }
                return em_question(
                    struct_size: UInt32(MemoryLayout<em_question>.size), kind: question.kind,
                    key: ByteView(buffer).slice(offset, offset + question.key.count).slice)
            }
            return ask.pointee.ask(handle, list, UInt32(list.count))
        }
        if status == EM_SUSPENDED { return false }
        if status != EM_OK { throw ModuleError(status) }
        return true
    }

    /// The answer to a question that `ask` said is there: the result and the text.
    package func answer(kind: UInt32, key: [UInt8]) throws(ModuleError) -> (result: UInt32, text: ByteView) {
        guard let ask = services.ask else { throw .unsupported }
        var answer = em_answer()
        answer.struct_size = UInt32(MemoryLayout<em_answer>.size)
        let status = key.withUnsafeBufferPointer { buffer in
            var question = em_question(
                struct_size: UInt32(MemoryLayout<em_question>.size), kind: kind, key: ByteView(buffer).slice)
            return ask.pointee.answer(handle, &question, &answer)
        }
        if status != EM_OK { throw ModuleError(status) }
        return (answer.result, ByteView(answer.text))
    }
}
