import BytesE
import CModuleABI
import DiskImages
import Documents
import Libarchive
import MailFormats
import ModuleKit
import OldArchives
import Streams
import Unpacking

/// Calls `body` for each format that em003 opens. Where two claim an object, the earlier is opened first.
func forEachExtractor(_ body: (Extractor) -> Void) {
    mailExtractors(body)
    mailFormatExtractors(body)
    archiveExtractors(body)
    libarchiveExtractors(body)
    streamExtractors(body)
    oldArchiveExtractors(body)
    diskImageExtractors(body)
    documentExtractors(body)
    // Last: whether it is a message is known by then.
    body(EmbeddedUnpacker.extractor)
}

private func mailExtractors(_ body: (Extractor) -> Void) {
    body(MIMEUnpacker.extractor)
    body(UUUnpacker.extractor)
}

private func archiveExtractors(_ body: (Extractor) -> Void) {
    body(ZIPUnpacker.extractor)
    body(GzipUnpacker.extractor)
    body(TarUnpacker.extractor)
    body(ZlibUnpacker.extractor)
    body(OverlayUnpacker.extractor)
    body(UniversalUnpacker.extractor)
}

/// A format that claims an object.
struct ClaimedFormat {
    let extractor: Extractor
    let claim: Claim
}

/// The formats of an object: what it is from its first byte before what is inside; the likeliest first.
///
/// There are several when bytes that are, or pass for, a message begin like an archive: mail programs skip what is no
/// header, so neither view may hide the other.
func claimedFormats(_ scan: ScanContext, _ object: em_object) -> [ClaimedFormat] {
    let candidate = Candidate(scan, object)
    var result: [ClaimedFormat] = []
    forEachExtractor { extractor in
        // Options are looked up last: most formats are not the object's.
        guard let claim = extractor.identify(candidate), scan.number(extractor.option, otherwise: 1) != 0 else {
            return
        }
        if claim.type == EM_TYPE_MAIL, claim.place == .whole { candidate.isMessage = !candidate.isDeclaredText }
        result.append(ClaimedFormat(extractor: extractor, claim: claim))
    }
    if result.contains(where: { $0.claim.place == .whole }) { result.removeAll { $0.claim.place == .inside } }
    // The root of a mail agent is a message, whatever it looks like; other objects are what their first bytes say.
    let isMailFirst = object.depth == 0 && isMailAgent(scan.text("agent"))
    if !isMailFirst { result.sort { $0.claim.sureness > $1.claim.sureness } }
    return result
}

/// Whether what an agent hands over is mail.
func isMailAgent(_ agent: ByteView) -> Bool {
    !agent.isEmpty && !agent.equals(ByteView("scan")) && !agent.equals(ByteView("dac"))
        && !agent.equals(ByteView("preload")) && !agent.equals(ByteView("clamd"))
}

/// The extractor of an object; nil when it is no container.
func unpacker(_ scan: ScanContext, _ object: UnsafePointer<em_object>) throws(ModuleError) -> Unpacker? {
    var all: [Unpacker] = []
    for format in claimedFormats(scan, object.pointee) {
        all.append(try format.extractor.open(scan, object, format.extractor))
    }
    return all.count > 1 ? UnpackerSequence(scan, object, all) : all.first
}
