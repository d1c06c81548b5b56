package import CModuleABI
import ModuleKit

// The tables of em000.

nonisolated(unsafe) private var module = em_module(
    magic: EM_MODULE_MAGIC, struct_size: UInt32(MemoryLayout<em_module>.size),
    abi_major: UInt16(EM_ABI_MAJOR), abi_minor: UInt16(EM_ABI_MINOR), min_host_minor: 0, flags: 0,
    id: cString("em000.loader"), version: cString("1.0.0"), requires_services: nil,
    init: { _, _, out in
        guard let out else { return EM_E_ARGUMENT }
        out.pointee = retain(Loader())
        return EM_OK
    },
    deinit: { instance in release(Loader.self, instance) },
    interface: { _, id in
        if equals(id, "em.loader/1") { return UnsafeRawPointer(address(ofGlobal: &loaderTable)) }
        if equals(id, "em.selftest/1") { return UnsafeRawPointer(address(ofGlobal: &selfTestTable)) }
        return nil
    })

nonisolated(unsafe) private var loaderTable = em_loader_v1(
    plan: { instance, keys, files, count, buffer, capacity, length in
        guard let instance, let files else { return EM_E_ARGUMENT }
        guard count > 0 else { return EM_OK }
        // A newer host's structures may be longer than ours.
        let stride = Int(files.pointee.struct_size)
        guard stride >= MemoryLayout<em_file>.stride, stride % 8 == 0 else { return EM_E_ARGUMENT }
        let memory = UnsafeMutableRawPointer(files)
        var list: [em_file] = []
        for index in 0..<Int(count) { list.append(memory.load(fromByteOffset: index * stride, as: em_file.self)) }
        let status = list.withUnsafeMutableBufferPointer { files in
            borrow(Loader.self, instance).plan(
                keys, files, Reason(buffer: buffer, capacity: Int(clamping: capacity), length: length))
        }
        for index in 0..<Int(count) {
            memory.storeBytes(of: list[index], toByteOffset: index * stride, as: em_file.self)
        }
        return status
    })

nonisolated(unsafe) private var selfTestTable = em_selftest_v1(run: { _, buffer, capacity, length in
    guard let failure = Loader.selfTest() else { return EM_OK }
    writeReason(failure, buffer, capacity, length)
    return EM_E_INTERNAL
})

/// The module table of em000, which the entry point hands out.
package func loaderModule() -> UnsafePointer<em_module>? {
    address(ofGlobal: &module)
}
