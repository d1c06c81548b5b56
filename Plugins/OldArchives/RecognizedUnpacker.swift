import BytesE
import CModuleABI
import ModuleKit
import Unpacking

/// Formats that are known by their first bytes and not opened: that something in them was not scanned is said, in place
/// of silence.
final class RecognizedUnpacker: Unpacker {
    static func extractors(_ body: (Extractor) -> Void) {
        body(recognized("LRZIP") { $0.data.hasPrefix(ByteView("LRZI")) && $0.data.count > 24 })
        body(
            recognized("INNO") {
                let data = $0.data
                return data.hasPrefix(ByteView("rDlPtS")) || data.hasPrefix(ByteView("Inno Setup Setup Data (5"))
                    || data.hasPrefix(ByteView("Inno Setup Setup Data (6")) || data.hasPrefix(ByteView("idska32\u{1a}"))
            })
        body(
            recognized("STUFFIT") {
                $0.data.hasPrefix(ByteView("StuffIt (c)1997-")) || $0.data.hasPrefix(ByteView("SIT!"))
            })
    }

    private static func recognized(_ name: StaticString, _ isOne: @escaping (Candidate) -> Bool) -> Extractor {
        Extractor(name, identify: { isOne($0) ? Claim(.whole, sureness: 80, type: EM_TYPE_ARCHIVE) : nil }) {
            scan, object, extractor throws(ModuleError) in
            RecognizedUnpacker(scan, object, format: extractor.name)
        }
    }

    override func next() throws(ModuleError) -> Bool {
        found(EM_OBJECT_UNSUPPORTED)
        return false
    }
}
