import BytesE
package import CModuleABI
package import ModuleKit
package import Unpacking

/// One compressed file: bzip2, xz and their kin. Streams one behind another are one file, as the tools have it. What lies
/// behind them and is none is a child of its own; of a damaged one everything, which may have a few bytes of a stream before
/// it only to hide.
package final class StreamUnpacker: Unpacker {
    private let compression: StreamFormat
    private var isDone = false

    package init(
        _ scan: ScanContext, _ object: UnsafePointer<em_object>, format: StaticString, _ compression: StreamFormat
    ) {
        self.compression = compression
        super.init(scan, object, format: format)
    }

    package override func next() throws(ModuleError) -> Bool {
        guard !isDone, mayHaveChildren() else { return false }
        isDone = true
        let stated = compression == .lzma ? data.load(UInt32.self, at: 1) : nil
        try compression.reserveWindow(scan, for: object, stated: stated)
        var output = try Output(scan, in: object)
        let result = try expand(data, by: compression, into: &output)
        var child = Child()
        child.offset = 0
        child.extent = UInt64(result.used)
        note(result.end, &child)
        // Nothing came out: what it holds was not scanned.
        if output.count == 0, child.flags != 0 { child.flags |= EM_OBJECT_UNSUPPORTED }
        found(child.flags)
        try close(&output, &child)
        try submit(child, name: innerName())
        if result.end == .overLimit { return true }
        let rest = result.end == .complete ? result.used : min(4, data.count)
        // Only zeros are padding.
        if data.dropFirst(rest).buffer.contains(where: { $0 != 0 }), mayHaveChildren() {
            try submit(part(rest..<data.count))
        }
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
