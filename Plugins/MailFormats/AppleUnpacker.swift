import BytesE
import CModuleABI
import ModuleKit
import Unpacking

/// AppleSingle and AppleDouble (RFC 1740): a list of entries, of which both forks are files.
final class AppleUnpacker: Unpacker {
    private var index = 0

    static var extractor: Extractor {
        Extractor(
            "APPLE", option: "av_scan_obj_emails",
            identify: { candidate in
                let magic = candidate.data.loadBigEndian(UInt32.self, at: 0)
                return magic == 0x0005_1600 || magic == 0x0005_1607 ? .magic(EM_TYPE_ARCHIVE) : nil
            },
            open: { scan, object, _ throws(ModuleError) in AppleUnpacker(scan, object, format: "APPLE") })
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren(), let count = data.loadBigEndian(UInt16.self, at: 24) else { return false }
        while index < min(Int(count), 64) {
            let at = 26 + 12 * index
            index += 1
            guard let kind = data.loadBigEndian(UInt32.self, at: at),
                let offset = data.loadBigEndian(UInt32.self, at: at + 4),
                let size = data.loadBigEndian(UInt32.self, at: at + 8)
            else {
                found(EM_OBJECT_TRUNCATED)
                return false
            }
            guard kind == 1 || kind == 2, size > 0 else { continue }
            try submit(part(Int(offset)..<(Int(offset) + Int(size))))
            return true
        }
        return false
    }
}
