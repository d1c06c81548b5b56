import BytesE
import CModuleABI
import ModuleKit
import Unpacking

/// Formats that are known by their first bytes and not opened: that something in them was not scanned is said, in place
/// of silence.
final class RecognizedUnpacker: Unpacker {
    static func extractor(
        _ name: StaticString, _ isOne: @escaping (ByteView) -> Bool
    ) -> Extractor {
        Extractor(
            name, identify: { isOne($0.data) ? Claim(.whole, sureness: 80, type: EM_TYPE_ARCHIVE) : nil },
            open: { scan, object, extractor throws(ModuleError) in
                RecognizedUnpacker(scan, object, format: extractor.name)
            })
    }

    override func next() throws(ModuleError) -> Bool {
        found(EM_OBJECT_UNSUPPORTED)
        return false
    }
}
