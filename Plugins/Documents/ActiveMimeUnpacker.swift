import BytesE
import CModuleABI
import ModuleKit
import Unpacking

/// ActiveMime (.mso): what Office keeps beside a page or in an XML document that it cannot say there, such as macros: a
/// compound file, packed with zlib behind a header.
final class ActiveMimeUnpacker: Unpacker {
    private var isDone = false

    /// Where the packed data begins when the header does not say.
    private static let usualStarts = [50, 554]
    /// The header has no more.
    private static let mostSought = 1024

    static var extractor: Extractor {
        Extractor(
            "ACTIVEMIME",
            identify: { candidate in
                candidate.data.hasPrefix(ByteView("ActiveMime")) ? .magic(EM_TYPE_ARCHIVE) : nil
            },
            open: { scan, object, _ throws(ModuleError) in ActiveMimeUnpacker(scan, object, format: "ACTIVEMIME") })
    }

    override func next() throws(ModuleError) -> Bool {
        guard !isDone, mayHaveChildren() else { return false }
        isDone = true
        guard let start = start() else {
            found(EM_OBJECT_MALFORMED)
            return false
        }
        var child = Child()
        var output = try Output(scan, in: object)
        let result = try inflateZlib(data.dropFirst(start), into: &output)
        child.offset = UInt64(start)
        child.extent = UInt64(result.used)
        note(result.end, &child)
        found(child.flags)
        try close(&output, &child)
        try submit(child)
        return true
    }

    /// Where the header says that it ends, where it usually does, or the first place that a stream may begin at.
    private func start() -> Int? {
        if let more = data.load(UInt16.self, at: 30), isStream(46 + Int(more)) { return 46 + Int(more) }
        return Self.usualStarts.first(where: isStream) ?? (10..<Self.mostSought).first(where: isStream)
    }

    private func isStream(_ place: Int) -> Bool {
        guard place + 2 <= data.count, data[place] == 0x78 else { return false }
        return (Int(data[place]) << 8 | Int(data[place + 1])) % 31 == 0
    }
}
