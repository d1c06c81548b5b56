import BytesE
import Unpacking

extension RecognizedUnpacker {
    /// Archives of StuffIt up to version 5, by their magic.
    static var stuffIt: Extractor {
        extractor("STUFFIT") { $0.hasPrefix(ByteView("StuffIt (c)1997-")) || $0.hasPrefix(ByteView("SIT!")) }
    }
}
