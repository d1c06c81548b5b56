import BytesE
import CModuleABI
import ModuleKit
import Packers
package import Unpacking

/// Calls `body` for each archive that is rare today, or that an installer brings along.
package func oldArchiveExtractors(_ body: (Extractor) -> Void) {
    body(NSISUnpacker.extractor)
    body(SevenZipDecryption.extractor)
    body(SevenZipRecoding.extractor)
    body(RARDecryption.extractor)
    body(OldRARDecryption.extractor)
    body(ARJUnpacker.extractor)
    body(LHAUnpacker.extractor)
    body(ALZUnpacker.extractor)
    body(BrotliUnpacker.extractor)
    body(LZOPUnpacker.extractor)
    body(WIMUnpacker.extractor)
    body(SquashFSUnpacker.extractor)
    body(ShellArchiveUnpacker.extractor)
    body(WARCUnpacker.extractor)
    body(CHMUnpacker.extractor)
    body(SZDDUnpacker.extractor)
    body(SISUnpacker.extractor)
    body(EGGUnpacker.extractor)
    body(ACEUnpacker.extractor)
    body(RecognizedUnpacker.longRangeZip)
    body(RecognizedUnpacker.stuffIt)
    packerExtractors(body)
}
