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
    body(ActiveMimeUnpacker.extractor)
    body(FlashUnpacker.extractor)
    scriptExtractors(body)
}
