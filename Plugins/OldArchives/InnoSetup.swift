import BytesE
import Unpacking

extension RecognizedUnpacker {
    /// Installers of Inno Setup: what stands behind the program, of versions 1 to 6.
    static var innoSetup: Extractor {
        extractor("INNO") { data in
            data.hasPrefix(ByteView("rDlPtS")) || data.hasPrefix(ByteView("Inno Setup Setup Data (5"))
                || data.hasPrefix(ByteView("Inno Setup Setup Data (6")) || data.hasPrefix(ByteView("idska32\u{1a}"))
        }
    }
}
