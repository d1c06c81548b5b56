import BytesE
import CModuleABI
import Executables
import ModuleKit
import Unpacking

/// Programs and archives behind something that is shown as it is: a text, an image, bytes of no known format; and in a
/// program those that it may write out, as droppers do.
final class EmbeddedUnpacker: Unpacker {
    private var files: EmbeddedFiles
    private var count = 0

    /// Each may reach to the end of the data.
    private static let most = 64

    static var extractor: Extractor {
        Extractor(
            "EMBEDDED",
            identify: { candidate in
                guard candidate.data.count > 64, !candidate.isMessage else { return nil }
                var files = EmbeddedFiles(searched(candidate.data))
                return files.next() == nil ? nil : Claim(.inside, sureness: 40, type: EM_TYPE_UNKNOWN)
            },
            open: { scan, object, _ throws(ModuleError) in EmbeddedUnpacker(scan, object) })
    }

    /// What of the data is looked at. What is appended to a program is an object of its own.
    private static func searched(_ data: ByteView) -> ByteView {
        if data.hasPrefix(ByteView("MZ")), let file = PEFile(data) { return data.prefix(file.overlay.lowerBound) }
        if ELFFile(data) != nil || MachOFile(data) != nil || UniversalFile(data) != nil { return ByteView() }
        return data
    }

    init(_ scan: ScanContext, _ object: UnsafePointer<em_object>) {
        files = EmbeddedFiles(Self.searched(ByteView(object.pointee.data)))
        super.init(scan, object, format: "EMBEDDED")
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren(), let place = files.next() else { return false }
        guard count < Self.most else {
            overLimit(EM_BUDGET_OBJECTS)
            return false
        }
        count += 1
        try submit(part(place))
        return true
    }
}
