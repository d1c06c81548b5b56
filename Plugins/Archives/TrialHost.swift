package import BytesE
package import CModuleABI
import ModuleKit
import Unpacking

/// A host of one thread and one object, for the self-test, fuzzing and tests: it keeps what is submitted.
package final class TrialHost {
    /// A child as it was submitted.
    package struct Child {
        package let data: [UInt8]
        package let name: [UInt8]
        package let declared: [UInt8]
        package let format: [UInt8]
        package let offset: UInt64
        package let extent: UInt64
        package let flags: UInt32
        package let type: UInt32
    }

    package private(set) var children: [Child] = []
    /// Flags that were reported about the container.
    package private(set) var flags: UInt32 = 0
    /// `EM_BUDGET_…` that were reported as exceeded, in order.
    package private(set) var exceeded: [UInt32] = []
    /// How often the budget was asked.
    package private(set) var checks = 0
    /// Most bytes of the arena that were used.
    package private(set) var peak = 0
    /// The scan is cancelled after so many checks.
    package var mostChecks = Int.max
    /// Limits, by the numbers of `em.host.budget/1`.
    package var mostObjects: UInt64 = 10_000
    package var mostBytes: UInt64 = .max
    /// Whether children may lie deeper than the container.
    package var mayGoDeeper = true
    /// The option `av_scan_passwords`.
    package var passwords = ByteView()
    /// Whether the data of children is kept.
    package var keepsData = true
    package var agent: StaticString = ""
    /// Whether what comes out is opened in turn, while what it came out of is open, as the scanner does it.
    package var walksDown = false

    private static let mostDepth: UInt32 = 16

    private let memory: UnsafeMutableRawPointer
    private let capacity: Int
    private var used = 0
    private var newest = 0
    private var total: UInt64 = 0

    /// A host whose arena has so many bytes.
    package init(memory capacity: Int) {
        self.capacity = capacity
        memory = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit {
        memory.deallocate()
    }

    /// Opens the bytes with em003 through its tables and takes every child; the status that ended it: EM_END when
    /// all went well, EM_E_UNSUPPORTED when the bytes are no container.
    package func unpack(
        _ bytes: ByteView, name: StaticString = "", declared: StaticString = "", depth: UInt32 = 0
    ) -> em_status {
        unpack(bytes, name: ByteView(name), declared: ByteView(declared), depth: depth)
    }

    /// The same with names that came out of another container.
    package func unpack(_ bytes: ByteView, name: ByteView, declared: ByteView, depth: UInt32) -> em_status {
        withModule(object(bytes, name: name, declared: declared, depth: depth)) { module, instance, object in
            guard
                let table = module.pointee.interface(instance, cString("em.container/1"))?
                    .assumingMemoryBound(to: em_container_v1.self)
            else { return EM_E_INTERNAL }
            return walk(table, instance, object)
        }
    }

    /// The same as one format alone, whatever the bytes look like; EM_E_ARGUMENT when em003 has no such format.
    package func unpack(
        _ bytes: ByteView, as format: ByteView, name: ByteView = ByteView(), declared: ByteView = ByteView()
    ) -> em_status {
        guard let chosen = extractor(named: format) else { return EM_E_ARGUMENT }
        return withModule(object(bytes, name: name, declared: declared)) { _, instance, object in
            guard let instance else { return EM_E_INTERNAL }
            let handle = OpaquePointer(Unmanaged.passUnretained(self).toOpaque())
            let scan = ScanContext(handle, borrow(Archives.self, instance).services)
            _ = chosen.identify(Candidate(scan, object.pointee))
            do throws(ModuleError) {
                let unpacker = try chosen.open(scan, object, chosen)
                let mark = used
                repeat {
                    used = mark
                    newest = mark
                } while try unpacker.next()
                return EM_END
            } catch {
                return error.status
            }
        }
    }

    private func object(
        _ bytes: ByteView, name: ByteView = ByteView(), declared: ByteView = ByteView(), depth: UInt32 = 0
    ) -> em_object {
        var object = em_object()
        object.struct_size = UInt32(MemoryLayout<em_object>.size)
        object.id = 1
        object.depth = depth
        object.data = bytes.slice
        object.name = name.slice
        object.declared = declared.slice
        object.offset = .max
        return object
    }

    /// Calls `body` with an instance of em003 and an object that stays where it is.
    private func withModule(
        _ object: em_object,
        _ body: (UnsafePointer<em_module>, OpaquePointer?, UnsafePointer<em_object>) -> em_status
    ) -> em_status {
        var host = em_host(
            struct_size: UInt32(MemoryLayout<em_host>.size), abi_major: UInt16(EM_ABI_MAJOR),
            abi_minor: UInt16(EM_ABI_MINOR), ctx: nil, service: trialService)
        guard let module = archivesModule() else { return EM_E_INTERNAL }
        return withUnsafePointer(to: &host) { host in
            var instance: OpaquePointer?
            let status = module.pointee.`init`(host, em_slice(), &instance)
            guard status == EM_OK else { return status }
            defer { module.pointee.deinit(instance) }
            return withUnsafePointer(to: object) { body(module, instance, $0) }
        }
    }

    private func walk(
        _ table: UnsafePointer<em_container_v1>, _ instance: OpaquePointer?, _ object: UnsafePointer<em_object>
    ) -> em_status {
        let handle = OpaquePointer(Unmanaged.passUnretained(self).toOpaque())
        var type = EM_TYPE_UNKNOWN
        guard table.pointee.identify(instance, handle, object, &type) > 0 else { return EM_E_UNSUPPORTED }
        let start = used
        var cursor: OpaquePointer?
        var status = table.pointee.open(instance, handle, object, &cursor)
        guard status == EM_OK else { return status }
        let mark = used
        repeat {
            used = mark
            newest = mark
            let first = children.count
            status = table.pointee.next(cursor)
            if walksDown, status == EM_OK, object.pointee.depth < Self.mostDepth {
                for number in first..<children.count { walk(down: number, table, instance, object.pointee.depth + 1) }
            }
        } while status == EM_OK
        table.pointee.close(cursor)
        used = start
        return status
    }

    /// Opens a child that was submitted.
    private func walk(
        down number: Int, _ table: UnsafePointer<em_container_v1>, _ instance: OpaquePointer?, _ depth: UInt32
    ) {
        let child = children[number]
        child.data.withUnsafeBufferPointer { data in
            child.name.withUnsafeBufferPointer { name in
                child.declared.withUnsafeBufferPointer { declared in
                    var object = object(
                        ByteView(data), name: ByteView(name), declared: ByteView(declared), depth: depth)
                    object.id = UInt64(number) + 2
                    object.type = child.type
                    _ = withUnsafePointer(to: object) { walk(table, instance, $0) }
                }
            }
        }
    }

    // MARK: Services

    fileprivate func allocate(_ size: UInt64) -> UnsafeMutableRawPointer? {
        let start = (used + 15) & ~15
        guard size <= UInt64(capacity), start <= capacity - Int(size) else { return nil }
        newest = start
        used = start + Int(size)
        peak = max(peak, used)
        (memory + start).initializeMemory(as: UInt8.self, repeating: 0, count: Int(size))
        return memory + start
    }

    fileprivate func resize(_ pointer: UnsafeMutableRawPointer?, _ size: UInt64) -> em_status {
        guard pointer == memory + newest else { return EM_E_ARGUMENT }
        guard size <= UInt64(capacity - newest) else { return EM_E_MEMORY }
        used = newest + Int(size)
        peak = max(peak, used)
        return EM_OK
    }

    fileprivate func check() -> em_status {
        checks += 1
        return checks > mostChecks ? EM_E_CANCELLED : EM_OK
    }

    fileprivate func left(_ kind: UInt32) -> UInt64 {
        switch kind {
        case EM_BUDGET_OBJECTS: mostObjects - min(mostObjects, UInt64(children.count))
        case EM_BUDGET_MEMORY: UInt64(capacity - used)
        case EM_BUDGET_TOTAL: mostBytes - min(mostBytes, total)
        case EM_BUDGET_DEPTH where !mayGoDeeper: 0
        default: .max
        }
    }

    fileprivate func exceed(_ kind: UInt32) {
        exceeded.append(kind)
    }

    fileprivate func report(_ flags: UInt32) {
        self.flags |= flags
    }

    fileprivate func submit(_ child: em_object) -> em_status {
        guard UInt64(children.count) < mostObjects else { return EM_E_LIMIT }
        if child.flags & EM_OBJECT_IN_PLACE == 0 { total += child.data.len }
        children.append(
            Child(
                data: keepsData ? ByteView(child.data).array : [], name: ByteView(child.name).array,
                declared: ByteView(child.declared).array, format: ByteView(child.format).array, offset: child.offset,
                extent: child.extent, flags: child.flags, type: child.type))
        return EM_OK
    }
}

private func trial(_ scan: OpaquePointer?) -> TrialHost? {
    scan.map { borrow(TrialHost.self, $0) }
}

/// The host's `service` function.
private func trialService(_: UnsafePointer<em_host>?, _ id: UnsafePointer<CChar>?) -> UnsafeRawPointer? {
    if equals(id, "em.host.log/1") { return UnsafeRawPointer(address(ofGlobal: &logTable)) }
    if equals(id, "em.host.memory/1") { return UnsafeRawPointer(address(ofGlobal: &memoryTable)) }
    if equals(id, "em.host.budget/1") { return UnsafeRawPointer(address(ofGlobal: &budgetTable)) }
    if equals(id, "em.host.submit/1") { return UnsafeRawPointer(address(ofGlobal: &submitTable)) }
    if equals(id, "em.host.report/1") { return UnsafeRawPointer(address(ofGlobal: &reportTable)) }
    if equals(id, "em.host.option/1") { return UnsafeRawPointer(address(ofGlobal: &optionTable)) }
    if equals(id, "em.host.module/1") { return UnsafeRawPointer(address(ofGlobal: &moduleTable)) }
    if equals(id, "em.host.data/1") { return UnsafeRawPointer(address(ofGlobal: &dataTable)) }
    return nil
}

nonisolated(unsafe) private var logTable = em_host_log_v1(write: { _, _, _ in })
nonisolated(unsafe) private var memoryTable = em_host_memory_v1(
    alloc: { scan, size in trial(scan)?.allocate(size) },
    resize: { scan, pointer, size in trial(scan)?.resize(pointer, size) ?? EM_E_STATE },
    mark: { _ in 0 },
    release: { _, _ in })
nonisolated(unsafe) private var budgetTable = em_host_budget_v1(
    check: { scan in trial(scan)?.check() ?? EM_E_STATE },
    left: { scan, _, kind in trial(scan)?.left(kind) ?? 0 },
    exceeded: { scan, _, kind in trial(scan)?.exceed(kind) })
nonisolated(unsafe) private var submitTable = em_host_submit_v1(
    submit: { scan, _, child in
        guard let host = trial(scan), let child else { return EM_E_ARGUMENT }
        let status = host.submit(child.pointee)
        // The root is the first.
        if status == EM_OK { child.pointee.id = UInt64(host.children.count) + 1 }
        return status
    },
    take: { _, _ in EM_END })
nonisolated(unsafe) private var reportTable = em_host_report_v1(
    finding: { _, _ in EM_OK },
    object: { scan, _, _, flags in
        trial(scan)?.report(flags)
        return EM_OK
    })
nonisolated(unsafe) private var optionTable = em_host_option_v1(
    number: { _, _, otherwise in otherwise },
    text: { scan, name in
        guard let host = trial(scan) else { return em_slice() }
        if equals(name, "agent") { return slice(host.agent) }
        return equals(name, "av_scan_passwords") ? host.passwords.slice : em_slice()
    })
nonisolated(unsafe) private var moduleTable = em_host_module_v1(provider: { _, _, _, _ in EM_END })
nonisolated(unsafe) private var dataTable = em_host_data_v1(find: { _, _, _ in EM_E_DATA })
