import BytesE
import CModuleABI
import ModuleKit
import Scripts
package import Unpacking

/// Calls `body` for each document format.
package func documentExtractors(_ body: (Extractor) -> Void) {
    body(OLEUnpacker.extractor)
    body(HangulUnpacker.extractor)
    body(RTFUnpacker.extractor)
    body(PDFUnpacker.extractor)
    body(OneNoteUnpacker.extractor)
    body(LinkUnpacker.extractor)
    body(DataURIUnpacker.extractor)
    body(FlatDocumentUnpacker.extractor)
    scriptExtractors(body)
}

/// Whether the object looks like text: no zero among its first bytes.
func looksLikeText(_ data: ByteView) -> Bool {
    !data.isEmpty && data.prefix(512).firstIndex(of: 0) == nil
}
