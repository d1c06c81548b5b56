import Bytes
import CModuleABI
import Synchronization

/// A code module with its instance; `deinit` ends the instance, then the library goes.
final class LoadedModule: @unchecked Sendable {
    let file: String
    private let library: Library?
    private let module: UnsafePointer<em_module>
    private let context: HostContext
    private let host: UnsafeMutablePointer<em_host>
    private(set) var instance: OpaquePointer?

    /// Checks the module's table; nothing of the module has run yet but its entry.
    ///
    /// - Parameter library: what the table lies in; nil when it is linked into this program.
    init(
        file: String, table: UnsafePointer<em_module>?, library: Library?, context: HostContext
    ) throws(LoadError) {
        guard let table else { throw LoadError(file, "entry", "em_module_entry returned nothing") }
        guard table.pointee.magic == EM_MODULE_MAGIC,
            table.pointee.struct_size >= UInt32(MemoryLayout<em_module>.size)
        else { throw LoadError(file, "entry", "the module table has a wrong magic number or size") }
        guard table.pointee.abi_major == UInt16(EM_ABI_MAJOR), table.pointee.min_host_minor <= UInt16(EM_ABI_MINOR)
        else {
            throw LoadError(
                file, "abi",
                "the module needs interface \(table.pointee.abi_major).\(table.pointee.min_host_minor), "
                    + "this host has \(EM_ABI_MAJOR).\(EM_ABI_MINOR)")
        }
        guard table.pointee.id != nil, table.pointee.version != nil else {
            throw LoadError(file, "entry", "the module table has no id or version")
        }
        if var next = table.pointee.requires_services {
            while let id = next.pointee {
                guard HostServices.table(id) != nil else {
                    throw LoadError(
                        file, "services", "the module needs \(String(cString: id)), which this host has not")
                }
                next += 1
            }
        }
        guard table.pointee.`init` != nil, table.pointee.`deinit` != nil, table.pointee.interface != nil else {
            throw LoadError(file, "entry", "the module table has no init, deinit or interface")
        }
        self.file = file
        self.library = library
        self.context = context
        module = table
        host = .allocate(capacity: 1)
        host.initialize(
            to: em_host(
                struct_size: UInt32(MemoryLayout<em_host>.size), abi_major: UInt16(EM_ABI_MAJOR),
                abi_minor: UInt16(EM_ABI_MINOR),
                ctx: OpaquePointer(Unmanaged.passUnretained(context).toOpaque()),
                service: { _, id in id.flatMap { HostServices.table($0) } }))
    }

    /// Makes the instance. Control thread only, once.
    ///
    /// - Parameter generation: what it asks for other modules; nil for em000, which is alone.
    func start(_ generation: Generation?) throws(LoadError) {
        if let generation { context.attach(generation) }
        let status = module.pointee.`init`(host, em_slice(ptr: nil, len: 0), &instance)
        guard status == EM_OK, instance != nil else {
            instance = nil
            throw LoadError(file, "init", "the module does not start (status \(status))")
        }
    }

    deinit {
        if let instance { module.pointee.`deinit`(instance) }
        host.deinitialize(count: 1)
        host.deallocate()
    }

    /// What it counted (em.host.metrics/1), by "module.name".
    var counters: [String: UInt64] {
        let all = context.counters.withLock { $0 }
        return Dictionary(uniqueKeysWithValues: all.map { ("\(idText).\($0.key)", $0.value) })
    }

    var id: UnsafePointer<CChar> { module.pointee.id }
    var idText: String { String(cString: module.pointee.id) }
    var version: String { String(cString: module.pointee.version) }

    /// The table of an interface; nil when the module has none.
    func interface(_ id: UnsafePointer<CChar>) -> UnsafeRawPointer? {
        guard let instance else { return nil }
        return module.pointee.interface(instance, id)
    }

    /// Runs the module's self-test, if it has one.
    func selfTest() throws(LoadError) {
        guard let instance, let table = "em.selftest/1".withCString({ interface($0) }) else { return }
        var buffer = [UInt8](repeating: 0, count: 256)
        var length: UInt64 = 0
        let status = table.assumingMemoryBound(to: em_selftest_v1.self).pointee.run(
            instance, &buffer, UInt64(buffer.count), &length)
        guard status == EM_OK else {
            let text = buffer.withUnsafeBufferPointer { printable(ByteView($0).prefix(Int(clamping: length))) }
            throw LoadError(file, "self-test", text.isEmpty ? "failed with status \(status)" : text)
        }
    }
}
