package import CModuleABI
package import ModuleKit

/// Several extractors over the same object, one after another.
package final class UnpackerSequence: Unpacker {
    private let all: [Unpacker]
    private var current = 0

    package init(_ scan: ScanContext, _ object: UnsafePointer<em_object>, _ all: [Unpacker]) {
        self.all = all
        super.init(scan, object, format: "")
    }

    package override func next() throws(ModuleError) -> Bool {
        while current < all.count {
            if try all[current].next() { return true }
            current += 1
        }
        return false
    }
}
