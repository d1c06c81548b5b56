import BytesE
import Unpacking

extension RecognizedUnpacker {
    /// Archives of lrzip, by their magic.
    static var longRangeZip: Extractor {
        extractor("LRZIP") { $0.hasPrefix(ByteView("LRZI")) && $0.count > 24 }
    }
}
