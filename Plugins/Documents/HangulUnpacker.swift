import BytesE
import CModuleABI
import ModuleKit
import Unpacking

/// Hangul documents up to version 3 (HWP 3.0): the text, which is deflated as a whole, and files behind it. Later ones
/// are compound files.
final class HangulUnpacker: Unpacker {
    private var isDone = false

    private static let signature: StaticString = "HWP Document File V3.00"
    /// Signature, properties of the document, summary.
    private static let fixedSize = 30 + 128 + 1008

    static var extractor: Extractor {
        Extractor(
            "HWP",
            identify: { candidate in
                candidate.data.hasPrefix(ByteView(signature)) ? .magic(EM_TYPE_UNKNOWN) : nil
            },
            open: { scan, object, _ throws(ModuleError) in HangulUnpacker(scan, object, format: "HWP") })
    }

    override func next() throws(ModuleError) -> Bool {
        guard !isDone, mayHaveChildren() else { return false }
        isDone = true
        // Of the properties: the password's checksum, whether the rest is packed, the size of a block before it.
        guard let password = data.load(UInt16.self, at: 30 + 96), let more = data.load(UInt16.self, at: 30 + 126) else {
            found(EM_OBJECT_TRUNCATED)
            return false
        }
        let start = Self.fixedSize + Int(more)
        var child = Child()
        let body = data.dropFirst(start)
        child.offset = UInt64(min(start, data.count))
        child.extent = UInt64(body.count)
        if password != 0 {
            child.flags |= EM_OBJECT_ENCRYPTED
        } else if data[30 + 124] == 0 {
            child.data = body
            child.flags |= EM_OBJECT_IN_PLACE
        } else {
            var output = try Output(scan, in: object, expected: body.count)
            let end = try inflateRaw(body, into: &output).end
            note(end, &child)
            try close(&output, &child)
        }
        try submit(child)
        return true
    }
}
