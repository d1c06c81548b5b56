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

    /// The formats of an object: by its content first, then by its declared type and its place; the likeliest first.
    ///
    /// There are two when bytes that are, or pass for, a message begin like an archive: mail programs skip what is no
    /// header, so neither view may hide the other.
    static func claims(_ scan: ScanContext, _ object: em_object) -> [Claim] {
        let data = ByteView(object.data)
        let archives = scan.number("av_scan_obj_archives", otherwise: 1) != 0
        let mails = scan.number("av_scan_obj_emails", otherwise: 1) != 0
        var result: [Claim] = []
        if archives, let claim = archive(data) { result.append(claim) }
        if mails, let claim = message(scan, object, data) {
            // The root of a mail agent is a message, whatever it looks like.
            let isMailFirst = object.depth == 0 && isMailAgent(scan.text("agent"))
            result.insert(claim, at: isMailFirst ? 0 : result.count)
        }
        if result.isEmpty, archives, ZIPDirectory(data) != nil, isSelfExtractorAllowed(scan, data) {
            // Something stands before the archive: a program, a picture. It stays what it is.
            result.append(Claim(format: .zip, sureness: 60, type: EM_TYPE_UNKNOWN))
        }
        // Mail programs show the uuencoded files in a text, whatever else it begins like.
        let isText = ByteView(object.declared).hasPrefix(ByteView("text/"))
        if mails, result.isEmpty || isText, holdsUUFile(scan, data, isText: isText) {
            result.append(Claim(format: .uuencoded, sureness: 60, type: EM_TYPE_TEXT))
        }
        return result
    }

    /// Whether the object is a message.
    private static func message(_ scan: ScanContext, _ object: em_object, _ data: ByteView) -> Claim? {
        let likelihood = UInt32(MIMEMessage.likelihood(data))
        if likelihood >= 50 { return Claim(format: .mime, sureness: likelihood, type: EM_TYPE_MAIL) }
        let isSaidToBe =
            ByteView(object.declared).hasPrefix(ByteView("message/"))
            || object.depth == 0 && isMailAgent(scan.text("agent"))
        guard isSaidToBe, hasField(data) else { return nil }
        return Claim(format: .mime, sureness: 50, type: EM_TYPE_MAIL)
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

    /// Whether the object is text with a uuencoded file in it. What does not say that it is text must look so.
    private static func holdsUUFile(_ scan: ScanContext, _ data: ByteView, isText: Bool) -> Bool {
        guard isText || data.prefix(4096).firstIndex(of: 0) == nil else { return false }
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

    /// The extractor of an object; nil when it is no container.
    static func unpacker(_ scan: ScanContext, _ object: UnsafePointer<em_object>) throws(ModuleError) -> Unpacker? {
        var all: [Unpacker] = []
        for claim in claims(scan, object.pointee) { all.append(try claim.format.unpacker(scan, object)) }
        return all.count > 1 ? UnpackerSequence(scan, object, all) : all.first
    }

    /// The extractor of a format.
    private func unpacker(_ scan: ScanContext, _ object: UnsafePointer<em_object>) throws(ModuleError) -> Unpacker {
        switch self {
        case .mime: MIMEUnpacker(scan, object)
        case .uuencoded: UUUnpacker(scan, object)
        case .zip: try ZIPUnpacker(scan, object)
        case .gzip: GzipUnpacker(scan, object)
        case .tar: TarUnpacker(scan, object)
        }
    }
}

/// Several extractors over the same object, one after another.
final class UnpackerSequence: Unpacker {
    private let all: [Unpacker]
    private var current = 0

    init(_ scan: ScanContext, _ object: UnsafePointer<em_object>, _ all: [Unpacker]) {
        self.all = all
        super.init(scan, object, format: "")
    }

    override func next() throws(ModuleError) -> Bool {
        while current < all.count {
            if try all[current].next() { return true }
            current += 1
        }
        return false
    }
}
