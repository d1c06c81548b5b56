import BytesE
import CModuleABI
import MIMEE
import ModuleKit
import Unpacking

/// Files inside calendars (RFC 5545) and cards (RFC 6350): values in base64 of ATTACH, PHOTO, LOGO, SOUND, KEY and of
/// anything else that says ENCODING=BASE64 or ENCODING=b. Data: addresses are found wherever they stand.
final class CardUnpacker: Unpacker {
    private var position = 0

    static var extractor: Extractor {
        Extractor(
            "VCARD", option: "av_scan_obj_emails",
            identify: { candidate in
                guard let place = candidate.head.card, place < 1024 else { return nil }
                return Claim(.beside, sureness: 60, type: EM_TYPE_TEXT)
            },
            open: { scan, object, _ throws(ModuleError) in CardUnpacker(scan, object, format: "VCARD") })
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        while position < data.count {
            try scan.check()
            let start = position
            let end = try propertyEnd(start)
            position = end
            guard let value = encodedValue(data.slice(start, min(end, start + 1024))) else { continue }
            var child = Child()
            child.offset = UInt64(start)
            child.extent = UInt64(end - start)
            let input = data.slice(start + value, end)
            var output = try Output(scan, in: object, expected: input.count)
            var decoder = TransferDecoder(.base64)
            var at = 0
            while at < input.count, let room = try output.room() {
                output.advance(decoder.decode(input, from: &at, into: room))
            }
            try close(&output, &child)
            guard !child.data.isEmpty else { continue }
            try submit(child)
            return true
        }
        return false
    }

    /// The end of a property: lines that begin with a space or a tab belong to it, as do, in old cards, lines of base64.
    private func propertyEnd(_ start: Int) throws(ModuleError) -> Int {
        var end = lineEnd(data, from: start)
        while end < data.count, data[end] == 0x20 || data[end] == 0x09 {
            if end & 0xff == 0 { try scan.check() }
            end = lineEnd(data, from: end)
        }
        return end
    }

    /// Where the value begins, when the parameters before it say that it is base64.
    private func encodedValue(_ line: ByteView) -> Int? {
        guard let colon = line.firstIndex(of: 0x3a) else { return nil }
        let head = line.prefix(colon)
        var index = 0
        while let semicolon = head.firstIndex(of: 0x3b, from: index) {
            let parameter = head.dropFirst(semicolon + 1)
            if parameter.hasPrefixIgnoringCase(ByteView("ENCODING=B"))
                || parameter.hasPrefixIgnoringCase(ByteView("BASE64"))
            {
                return colon + 1
            }
            index = semicolon + 1
        }
        return nil
    }
}
