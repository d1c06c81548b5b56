import BytesE
import CModuleABI
import ModuleKit
import Unpacking

/// A mailbox file of many messages (RFC 4155): each begins with a line "From address date".
final class MailboxUnpacker: Unpacker {
    private var position = 0

    static var extractor: Extractor {
        Extractor(
            "MBOX", option: "av_scan_obj_emails",
            identify: { candidate in
                let data = candidate.data
                guard data.hasPrefix(ByteView("From ")), separates(data, 0) else { return nil }
                return Claim(.whole, sureness: 80, type: EM_TYPE_MAIL)
            },
            open: { scan, object, _ throws(ModuleError) in MailboxUnpacker(scan, object, format: "MBOX") })
    }

    /// Whether a line "From …" ends with a time and a year, and fields follow it.
    private static func separates(_ data: ByteView, _ start: Int) -> Bool {
        let end = lineEnd(data, from: start)
        let line = data.slice(start, end)
        guard line.count > 20, line.count < 1000, line.firstIndex(of: 0x3a) != nil else { return false }
        let field = data.slice(end, lineEnd(data, from: end))
        guard let colon = field.firstIndex(of: 0x3a), colon > 0 else { return false }
        return field.firstIndex(of: 0x20).map { $0 > colon } ?? true
    }

    override func next() throws(ModuleError) -> Bool {
        guard position < data.count, mayHaveChildren() else { return false }
        let start = lineEnd(data, from: position)
        var end = data.count
        var search = start
        while let hit = try lineStart(of: ByteView("From "), from: search) {
            if Self.separates(data, hit) {
                end = hit
                break
            }
            search = hit + 5
        }
        position = end
        var child = part(start..<end)
        child.declared = ByteView("message/rfc822")
        if !child.data.isEmpty { try submit(child) }
        return true
    }
}
