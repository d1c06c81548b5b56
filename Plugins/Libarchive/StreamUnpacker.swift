import BytesE
package import CModuleABI
package import ModuleKit
package import Unpacking

/// One compressed file: bzip2, xz and their kin. Streams one behind another are one file, as the tools have it.
package final class StreamUnpacker: Unpacker {
    private let support: LibarchiveSupport
    private var isDone = false

    package init(
        _ scan: ScanContext, _ object: UnsafePointer<em_object>, format: StaticString, _ support: LibarchiveSupport
    ) {
        self.support = support
        super.init(scan, object, format: format)
    }

    package override func next() throws(ModuleError) -> Bool {
        guard !isDone, mayHaveChildren() else { return false }
        isDone = true
        guard let reader = LibarchiveReader(scan, data, support), try reader.next().outcome == .ready else {
            found(EM_OBJECT_MALFORMED | EM_OBJECT_UNSUPPORTED)
            return false
        }
        var child = Child()
        child.offset = 0
        child.extent = UInt64(data.count)
        try support.reserveWindow(scan, for: object)
        var output = try Output(scan, in: object)
        reading: while let room = try output.room() {
            let (outcome, count) = try reader.read(into: room)
            output.advance(count)
            switch outcome {
            case .ready: continue
            case .end: break reading
            case .failed, .fatal:
                child.flags |= EM_OBJECT_TRUNCATED
                break reading
            }
        }
        // Nothing came out: what it holds was not scanned.
        if output.count == 0, child.flags != 0 { child.flags |= EM_OBJECT_UNSUPPORTED }
        found(child.flags)
        try close(&output, &child)
        try submit(child, name: innerName())
        return true
    }

    /// "a.tar" for "a.tar.xz" and "a.txz".
    private func innerName() -> [UInt8] {
        let name = ByteView(object.pointee.name)
        func without(_ ending: StaticString, _ more: StaticString = "") -> [UInt8]? {
            let ending = ByteView(ending)
            guard name.count > ending.count, name.hasSuffixIgnoringCase(ending) else { return nil }
            return name.prefix(name.count - ending.count).array + ByteView(more).array
        }
        return without(".bz2") ?? without(".xz") ?? without(".lzma") ?? without(".lz") ?? without(".lz4")
            ?? without(".zst") ?? without(".Z") ?? without(".tbz2", ".tar") ?? without(".tbz", ".tar")
            ?? without(".txz", ".tar") ?? without(".tlz", ".tar") ?? without(".tzst", ".tar") ?? without(".taz", ".tar")
            ?? []
    }
}
