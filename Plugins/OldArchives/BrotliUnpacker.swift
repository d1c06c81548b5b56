import BytesE
import CBrotli
import CModuleABI
import ModuleKit
import Unpacking

/// Brotli (RFC 7932), which nothing but its name tells: any bytes may be it. What does not expand to its end is none.
final class BrotliUnpacker: Unpacker {
    private var isDone = false

    static var extractor: Extractor {
        Extractor(
            "BROTLI",
            identify: { candidate in
                let isNamed =
                    candidate.name.hasSuffixIgnoringCase(ByteView(".br"))
                    || candidate.declared.equalsIgnoringCase(ByteView("application/brotli"))
                    || candidate.declared.equalsIgnoringCase(ByteView("application/x-brotli"))
                return isNamed && !candidate.data.isEmpty ? Claim(.beside, sureness: 20, type: EM_TYPE_UNKNOWN) : nil
            },
            open: { scan, object, _ throws(ModuleError) in BrotliUnpacker(scan, object, format: "BROTLI") })
    }

    override func next() throws(ModuleError) -> Bool {
        guard !isDone, mayHaveChildren() else { return false }
        isDone = true
        guard try reserveBrotliWindow(brotliWindow(data), scan, for: object) else {
            overLimit(EM_BUDGET_MEMORY)
            return false
        }
        var output = try Output(scan, in: object)
        let (isWhole, left) = try expandBrotli(data, scan, into: &output)
        // Cut by a limit it was some; damaged it was most likely never any.
        guard isWhole || output.stoppedBy != 0, output.count > 0 else { return false }
        var child = Child()
        child.offset = 0
        child.extent = UInt64(data.count - left)
        try close(&output, &child)
        let name = ByteView(object.pointee.name)
        let isNamed = name.hasSuffixIgnoringCase(ByteView(".br"))
        try submit(child, name: isNamed ? name.prefix(name.count - 3).array : [])
        return true
    }
}

/// Takes room out of the scan's memory for the window of a stream of Brotli and what else its decoder has; false when there is
/// too little. To be called before the output is begun.
func reserveBrotliWindow(_ size: Int, _ scan: ScanContext, for object: UnsafePointer<em_object>) throws(ModuleError)
    -> Bool
{
    let needed = size + (2 << 20)
    guard scan.left(EM_BUDGET_MEMORY, for: object) > UInt64(needed) else { return false }
    _ = try scan.allocate(needed)
    return true
}

/// The size of the window, which a stream begins with (RFC 7932 9.1).
func brotliWindow(_ data: ByteView) -> Int {
    guard let first = data.buffer.first, first & 1 != 0 else { return 1 << 16 }
    let second = Int(first >> 1 & 7)
    let third = Int(first >> 4 & 7)
    return 1 << (second > 0 ? 17 + second : third == 0 ? 17 : 8 + third)
}

/// Expands one stream of Brotli; whether it was whole, and how many bytes stand behind it.
func expandBrotli(
    _ data: ByteView, _ scan: ScanContext, into output: inout Output
) throws(ModuleError) -> (isWhole: Bool, left: Int) {
    guard let decoder = CBrotli_new() else { throw .memory }
    defer { CBrotli_free(decoder) }
    var left = data.count
    var input = data.buffer.baseAddress
    while let room = try output.room() {
        try scan.check()
        var free = room.count
        var place = room.baseAddress
        let status = CBrotli_expand(decoder, &left, &input, &free, &place)
        output.advance(room.count - free)
        if status == 1 { return (true, left) }
        guard status == 3 else { break }
    }
    return (false, left)
}
