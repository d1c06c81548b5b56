import BytesE
import CModuleABI
import Images
import ModuleKit

extension ObjectMatcher {
    /// What a picture looks like; nil when it cannot be told.
    func lookOfImage(_ object: em_object) throws(ModuleError) -> UInt64? {
        let scan = context
        let mark = scan.services.memory.pointee.mark(scan.handle)
        defer { scan.services.memory.pointee.release(scan.handle, mark) }
        var isShort = false
        let budget = ImageBudget(
            allocate: { size in
                let memory = try? scan.allocate(size)
                if memory == nil { isShort = true }
                return memory
            },
            mayGoOn: { (try? scan.check()) != nil })
        let hash = imageHash(of: ByteView(object.data), budget)
        try scan.check()
        if isShort {
            var object = object
            scan.exceeded(EM_BUDGET_MEMORY, &object)
        }
        return hash
    }
}
