import BytesE
import CModuleABI
import MIMEE
import ModuleKit
import Unpacking

// How the formats of this folder are told from others.

extension MIMEUnpacker {
    static var extractor: Extractor {
        Extractor(
            "MIME", option: "av_scan_obj_emails",
            identify: { candidate in
                let likelihood = UInt32(MIMEMessage.likelihood(candidate.data))
                if likelihood >= 50 { return Claim(.whole, sureness: likelihood, type: EM_TYPE_MAIL) }
                let isSaidToBe =
                    candidate.declared.hasPrefix(ByteView("message/"))
                    || candidate.object.depth == 0 && isMailAgent(candidate.scan.text("agent"))
                guard isSaidToBe, hasField(candidate.data) else { return nil }
                return Claim(.whole, sureness: 50, type: EM_TYPE_MAIL)
            },
            open: { scan, object, _ throws(ModuleError) in MIMEUnpacker(scan, object) })
    }

    private static func hasField(_ data: ByteView) -> Bool {
        var cursor = HeaderCursor(message: data.prefix(65536))
        return cursor.next() != nil
    }
}

extension UUUnpacker {
    static var extractor: Extractor {
        Extractor(
            "UUE", option: "av_scan_obj_emails",
            identify: { candidate in
                // Mail programs show the uuencoded files in a text, whatever else it begins like.
                let isText = candidate.isDeclaredText
                guard candidate.marks.contains(.begin), holdsFile(candidate, isText: isText) else { return nil }
                return Claim(isText ? .beside : .inside, sureness: 60, type: EM_TYPE_TEXT)
            },
            open: { scan, object, _ throws(ModuleError) in UUUnpacker(scan, object) })
    }

    /// Whether the object is text with a uuencoded file in it. What does not say that it is text must look so.
    private static func holdsFile(_ candidate: Candidate, isText: Bool) -> Bool {
        guard isText || candidate.data.prefix(4096).firstIndex(of: 0) == nil else { return false }
        var blocks = UUBlocks(candidate.data, in: 0..<candidate.data.count)
        return blocks.next(check: {
            do throws(ModuleError) {
                try candidate.scan.check()
                return true
            } catch {
                return false
            }
        }) != nil
    }
}

extension ZIPUnpacker {
    static var extractor: Extractor {
        Extractor(
            "ZIP",
            identify: { candidate in
                let data = candidate.data
                switch data.load(UInt32.self, at: 0) {
                case ZIPEntry.localSignature, 0x0605_4B50: return .magic(EM_TYPE_ZIP)
                // Marks of spanned archives before the first header.
                case 0x0807_4B50, 0x3030_4B50:
                    if data.load(UInt32.self, at: 4) == ZIPEntry.localSignature { return .magic(EM_TYPE_ZIP) }
                default: break
                }
                // Something stands before the archive: a program, a picture. It stays what it is.
                guard ZIPDirectory(data) != nil, isSelfExtractorAllowed(candidate) else { return nil }
                return Claim(.inside, sureness: 60, type: EM_TYPE_UNKNOWN)
            },
            open: { scan, object, _ throws(ModuleError) in try ZIPUnpacker(scan, object) })
    }

    private static func isSelfExtractorAllowed(_ candidate: Candidate) -> Bool {
        let data = candidate.data
        guard data.hasPrefix(ByteView("MZ")) || data.hasPrefix(ByteView("\u{7F}ELF")) else { return true }
        return candidate.scan.number("av_scan_obj_sfx", otherwise: 1) != 0
    }
}

extension GzipUnpacker {
    static var extractor: Extractor {
        Extractor(
            "GZIP", identify: { candidate in GzipHeader(candidate.data) != nil ? .magic(EM_TYPE_GZIP) : nil },
            open: { scan, object, _ throws(ModuleError) in GzipUnpacker(scan, object) })
    }
}

extension TarUnpacker {
    static var extractor: Extractor {
        Extractor(
            "TAR",
            identify: { candidate in
                TarHeader.checksumFits(candidate.data) ? Claim(.whole, sureness: 95, type: EM_TYPE_TAR) : nil
            },
            open: { scan, object, _ throws(ModuleError) in TarUnpacker(scan, object) })
    }
}
