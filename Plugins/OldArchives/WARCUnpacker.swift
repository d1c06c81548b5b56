import BytesE
import CModuleABI
import MIMEE
import ModuleKit
import Unpacking

/// Archives of the web (ISO 28500): the block of each record, without the head of a response of HTTP.
final class WARCUnpacker: Unpacker {
    private var position = 0

    static var extractor: Extractor {
        Extractor(
            "WARC",
            identify: { $0.data.hasPrefix(ByteView("WARC/")) ? .magic(EM_TYPE_ARCHIVE) : nil },
            open: { scan, object, _ throws(ModuleError) in WARCUnpacker(scan, object, format: "WARC") })
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        try scan.check()
        while position < data.count, isASCIISpace(data[position]) { position += 1 }
        guard position < data.count else { return false }
        guard data.dropFirst(position).hasPrefix(ByteView("WARC/")), let head = headEnd(data, from: position) else {
            found(EM_OBJECT_MALFORMED)
            return false
        }
        let fields = data.slice(position, head)
        var size = 0
        for byte in field("content-length", in: fields).buffer where (0x30...0x39).contains(byte) {
            size = min(1 << 48, size * 10 + Int(byte - 0x30))
        }
        let isHTTP = field("content-type", in: fields).hasPrefixIgnoringCase(ByteView("application/http"))
        var content = data.slice(head, head + size)
        var child = Child()
        if content.count < size { child.flags |= EM_OBJECT_TRUNCATED }
        position = head + content.count
        var start = head
        var declared = field("content-type", in: fields)
        if isHTTP, let end = headEnd(content, from: 0) {
            declared = field("content-type", in: content.prefix(end))
            start += end
            content = content.dropFirst(end)
        }
        child.data = content
        child.offset = UInt64(start)
        child.extent = UInt64(content.count)
        child.flags |= EM_OBJECT_IN_PLACE
        let address = field("warc-target-uri", in: fields)
        let name = address.dropFirst((address.lastIndex(of: 0x2f, in: 0..<address.count) ?? -1) + 1)
        let type = declared.prefix(declared.firstIndex(of: 0x3b) ?? declared.count).trimmed
        try submit(child, name: entryName(name, isUTF8: true, otherwise: .utf8), declared: type.prefix(256).array)
        return true
    }

    /// The place behind the empty line; a head is below 64 KiB.
    private func headEnd(_ data: ByteView, from start: Int) -> Int? {
        let window = data.prefix(start + 65536)
        if let place = window.firstIndex(of: ByteView("\r\n\r\n"), from: start) { return place + 4 }
        return window.firstIndex(of: ByteView("\n\n"), from: start).map { $0 + 2 }
    }

    /// A field of a head by its name; empty when there is none.
    private func field(_ name: StaticString, in head: ByteView) -> ByteView {
        let name = ByteView(name)
        var place = 0
        while let end = head.firstIndex(of: 0x0a, from: place) {
            let line = head.slice(place, end)
            if line.hasPrefixIgnoringCase(name), line.count > name.count, line[name.count] == 0x3a {
                return line.dropFirst(name.count + 1).trimmed
            }
            place = end + 1
        }
        return ByteView()
    }
}
