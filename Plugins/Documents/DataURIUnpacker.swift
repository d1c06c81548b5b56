import BytesE
import CModuleABI
import MIMEE
import ModuleKit
import Unpacking

/// Files inside addresses "data:…" (RFC 2397), in pages, pictures (SVG), calendars and any other text.
final class DataURIUnpacker: Unpacker {
    private var position = 0

    /// Text is searched this far to see whether there is one.
    private static let head = 1 << 20
    /// Shorter ones are icons and dots.
    private static let leastSize = 24

    static var extractor: Extractor {
        Extractor(
            "DATA-URI",
            identify: { candidate in
                guard candidate.marks.contains(.dataAddress), place(candidate.data.prefix(head), 0) != nil else {
                    return nil
                }
                return Claim(.beside, sureness: 40, type: EM_TYPE_UNKNOWN)
            },
            open: { scan, object, _ throws(ModuleError) in DataURIUnpacker(scan, object, format: "DATA-URI") })
    }

    private struct Place {
        let start: Int
        /// Behind the comma.
        let value: Int
        let type: Range<Int>
        let isBase64: Bool
    }

    /// The next address at or after an offset.
    private static func place(_ data: ByteView, _ from: Int) -> Place? {
        var index = from
        while let start = data.firstIndex(ofIgnoringCase: ByteView("data:"), from: index) {
            let hit = start + 4
            index = hit + 1
            let head = data.slice(hit + 1, hit + 257)
            guard let comma = head.firstIndex(of: 0x2c) else { continue }
            let parameters = head.prefix(comma)
            var isBase64 = false
            var isAddress = true
            var at = 0
            while at < parameters.count {
                let byte = parameters[at]
                // No space, quote or bracket stands before the comma.
                if byte <= 0x20 || byte == 0x22 || byte == 0x27 || byte == 0x3c || byte == 0x3e || byte == 0x7b {
                    isAddress = false
                    break
                }
                if byte == 0x3b, parameters.dropFirst(at + 1).hasPrefixIgnoringCase(ByteView("base64")) {
                    isBase64 = true
                }
                at += 1
            }
            guard isAddress, isBase64 || parameters.firstIndex(of: 0x2f) != nil else { continue }
            let typeEnd = parameters.firstIndex(of: 0x3b) ?? parameters.count
            return Place(
                start: start, value: hit + 1 + comma + 1, type: (hit + 1)..<(hit + 1 + typeEnd), isBase64: isBase64)
        }
        return nil
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        while let place = Self.place(data, position) {
            try scan.check()
            let end = try valueEnd(place.value)
            position = end
            guard end - place.value >= Self.leastSize else { continue }
            var child = Child()
            child.offset = UInt64(place.start)
            child.extent = UInt64(end - place.start)
            child.declared = data.slice(place.type.lowerBound, place.type.upperBound)
            let input = data.slice(place.value, end)
            var output = try Output(scan, in: object, expected: input.count)
            try unescape(input, into: &output)
            if place.isBase64 {
                let text = output.bytes
                var decoded = try Output(scan, in: object, expected: text.count)
                var decoder = TransferDecoder(.base64)
                var at = 0
                while at < text.count, let room = try decoded.room() {
                    decoded.advance(decoder.decode(text, from: &at, into: room))
                }
                try close(&decoded, &child)
            } else {
                try close(&output, &child)
            }
            guard !child.data.isEmpty else { continue }
            try submit(child)
            return true
        }
        return false
    }

    /// An address ends at a quote, a bracket, or what else cannot be in one; line ends are allowed in base64.
    private func valueEnd(_ start: Int) throws(ModuleError) -> Int {
        var index = start
        while index < data.count {
            let byte = data[index]
            if byte == 0x22 || byte == 0x27 || byte == 0x3c || byte == 0x3e || byte == 0x29 || byte == 0x60 || byte == 0
            {
                return index
            }
            if index & 0xffff == 0 { try scan.check() }
            index += 1
        }
        return index
    }

    /// Undoes %hh.
    private func unescape(_ input: ByteView, into output: inout Output) throws(ModuleError) {
        var rest = input
        while let percent = rest.firstIndex(of: 0x25) {
            guard try output.append(rest.prefix(percent)) else { return }
            rest = rest.dropFirst(percent)
            if rest.count >= 3, let high = digit(rest[1]), let low = digit(rest[2]) {
                guard try output.append(high << 4 | low) else { return }
                rest = rest.dropFirst(3)
            } else {
                guard try output.append(0x25) else { return }
                rest = rest.dropFirst(1)
            }
        }
        _ = try output.append(rest)
    }

    private func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
