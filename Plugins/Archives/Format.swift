import BytesE
import CModuleABI
import MIMEE
import ModuleKit

/// The formats that em003 opens, and how it tells them apart.
enum Format {
    case mime, uuencoded, zip, gzip, tar

    /// A format with how sure it is, 0…100, and the type that the object then has.
    struct Claim {
        let format: Format
        let sureness: UInt32
        let type: UInt32
    }

    /// The format of an object: by its content first, then by its declared type and its place. nil when it is none.
    static func claim(_ scan: ScanContext, _ object: em_object) -> Claim? {
        let data = ByteView(object.data)
        let declared = ByteView(object.declared)
        let archives = scan.number("av_scan_obj_archives", otherwise: 1) != 0
        let mails = scan.number("av_scan_obj_emails", otherwise: 1) != 0
        if archives, let claim = archive(data) { return claim }
        let likelihood = UInt32(MIMEMessage.likelihood(data))
        if mails, likelihood >= 50 { return Claim(format: .mime, sureness: likelihood, type: EM_TYPE_MAIL) }
        if mails, declared.hasPrefix(ByteView("message/")), likelihood > 0 || hasField(data) {
            return Claim(format: .mime, sureness: 50, type: EM_TYPE_MAIL)
        }
        // What a mail agent hands over is a message, however odd its header is.
        if mails, object.depth == 0, hasField(data), isMailAgent(scan.text("agent")) {
            return Claim(format: .mime, sureness: 50, type: EM_TYPE_MAIL)
        }
        guard archives else { return nil }
        if ZIPDirectory(data) != nil, isSelfExtractorAllowed(scan, data) {
            // Something stands before the archive: a program, a picture. It stays what it is.
            return Claim(format: .zip, sureness: 60, type: EM_TYPE_UNKNOWN)
        }
        if mails, holdsUUFile(scan, data) {
            return Claim(format: .uuencoded, sureness: 60, type: EM_TYPE_TEXT)
        }
        return nil
    }

    /// Archives that their first bytes tell.
    private static func archive(_ data: ByteView) -> Claim? {
        switch data.load(UInt32.self, at: 0) {
        case ZIPEntry.localSignature, 0x0605_4B50: return Claim(format: .zip, sureness: 100, type: EM_TYPE_ZIP)
        // Marks of spanned archives before the first header.
        case 0x0807_4B50, 0x3030_4B50:
            if data.load(UInt32.self, at: 4) == ZIPEntry.localSignature {
                return Claim(format: .zip, sureness: 100, type: EM_TYPE_ZIP)
            }
        default: break
        }
        if GzipHeader(data) != nil { return Claim(format: .gzip, sureness: 100, type: EM_TYPE_GZIP) }
        if TarHeader.checksumFits(data) { return Claim(format: .tar, sureness: 95, type: EM_TYPE_TAR) }
        return nil
    }

    private static func hasField(_ data: ByteView) -> Bool {
        var cursor = HeaderCursor(message: data.prefix(65536))
        return cursor.next() != nil
    }

    private static func isMailAgent(_ agent: ByteView) -> Bool {
        !agent.isEmpty && !agent.equals(ByteView("scan")) && !agent.equals(ByteView("dac"))
            && !agent.equals(ByteView("preload"))
    }

    private static func isSelfExtractorAllowed(_ scan: ScanContext, _ data: ByteView) -> Bool {
        guard data.hasPrefix(ByteView("MZ")) || data.hasPrefix(ByteView("\u{7F}ELF")) else { return true }
        return scan.number("av_scan_obj_sfx", otherwise: 1) != 0
    }

    /// Whether the object is text with a uuencoded file in it.
    private static func holdsUUFile(_ scan: ScanContext, _ data: ByteView) -> Bool {
        guard data.prefix(4096).firstIndex(of: 0) == nil else { return false }
        var blocks = UUBlocks(data, in: 0..<data.count)
        return blocks.next(check: {
            do throws(ModuleError) {
                try scan.check()
                return true
            } catch {
                return false
            }
        }) != nil
    }

    /// The extractor of a format.
    func unpacker(_ scan: ScanContext, _ object: UnsafePointer<em_object>) throws(ModuleError) -> Unpacker {
        switch self {
        case .mime: MIMEUnpacker(scan, object)
        case .uuencoded: UUUnpacker(scan, object)
        case .zip: try ZIPUnpacker(scan, object)
        case .gzip: GzipUnpacker(scan, object)
        case .tar: TarUnpacker(scan, object)
        }
    }
}
