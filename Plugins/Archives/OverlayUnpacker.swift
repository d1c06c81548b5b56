import BytesE
import CModuleABI
import Executables
import ModuleKit
import Unpacking

/// What is appended to a Windows program behind its last section.
final class OverlayUnpacker: Unpacker {
    private var isDone = false

    static var extractor: Extractor {
        Extractor(
            "PE-OVERLAY", option: "av_scan_obj_sfx",
            identify: { candidate in
                guard overlay(candidate.data) != nil else { return nil }
                return Claim(.beside, sureness: 50, type: EM_TYPE_UNKNOWN)
            },
            open: { scan, object, _ throws(ModuleError) in OverlayUnpacker(scan, object, format: "PE") })
    }

    private static func overlay(_ data: ByteView) -> Range<Int>? {
        guard data.hasPrefix(ByteView("MZ")), let file = PEFile(data), !file.overlay.isEmpty else { return nil }
        return file.overlay
    }

    override func next() throws(ModuleError) -> Bool {
        guard !isDone, mayHaveChildren(), let place = Self.overlay(data) else { return false }
        isDone = true
        try submit(part(place))
        return true
    }
}
