import BytesE
import CModuleABI
import MIMEE
import ModuleKit
import Unpacking

/// XML documents with files in base64 as the text of an element: flat OPC (pkg:binaryData), Word 2003 (w:binData),
/// WordprocessingML pictures, HWPML (BINDATA), XDP (chunk).
final class FlatDocumentUnpacker: Unpacker {
    private var position = 0
    /// Whether any element can be one of those that are sought; nil before that is known.
    private var hasNames: Bool?

    static var extractor: Extractor {
        Extractor(
            "XML",
            identify: { candidate in
                guard candidate.head.declaration != nil else { return nil }
                return Claim(.beside, sureness: 40, type: EM_TYPE_UNKNOWN)
            },
            open: { scan, object, _ throws(ModuleError) in FlatDocumentUnpacker(scan, object, format: "XML") })
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren(), try holdsAny() else { return false }
        var checked = position
        while let open = data.firstIndex(of: 0x3c, from: position) {
            if open - checked >= 4096 {
                try scan.check()
                checked = open
            }
            guard let close = data.firstIndex(of: 0x3e, from: open) else { return false }
            position = close + 1
            guard holdsData(data.slice(open + 1, min(close, open + 65))) else { continue }
            let end = data.firstIndex(of: 0x3c, from: close) ?? data.count
            let input = data.slice(close + 1, end)
            position = end
            guard input.count > 16 else { continue }
            var child = Child()
            child.offset = UInt64(close + 1)
            child.extent = UInt64(input.count)
            var output = try Output(scan, in: object, expected: input.count)
            var decoder = TransferDecoder(.base64)
            var at = 0
            while at < input.count, let room = try output.room() {
                output.advance(decoder.decode(input, from: &at, into: room))
            }
            try self.close(&output, &child)
            try submit(child)
            return true
        }
        return false
    }

    /// Whether one of the names occurs at all: nearly all documents are done with that.
    private func holdsAny() throws(ModuleError) -> Bool {
        if let known = hasNames { return known }
        var found = false
        forEachName { name in
            if !found { found = data.firstIndex(ofIgnoringCase: name, from: 0) != nil }
        }
        try scan.check()
        hasNames = found
        return found
    }

    /// Elements that hold base64.
    private func forEachName(_ body: (ByteView) -> Void) {
        body(ByteView("binaryData"))
        body(ByteView("binData"))
        body(ByteView("chunk"))
        body(ByteView("docSuppData"))
        body(ByteView("oledata.mso"))
    }

    /// Whether an element of that name holds base64.
    private func holdsData(_ tag: ByteView) -> Bool {
        guard !tag.isEmpty, tag[0] != 0x2f else { return false }
        var end = 0
        while end < tag.count, !isASCIISpace(tag[end]), tag[end] != 0x2f { end += 1 }
        let name = tag.prefix(end)
        let local = name.dropFirst((name.firstIndex(of: 0x3a) ?? -1) + 1)
        var isKnown = false
        forEachName { known in
            if local.equalsIgnoringCase(known) { isKnown = true }
        }
        return isKnown
    }
}
