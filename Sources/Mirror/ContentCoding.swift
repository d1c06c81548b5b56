package import Bytes
import CZlib

/// Compression on the way (RFC 9110 §8.4.1): gzip, for those who ask for it.
package enum ContentCoding {
    /// Whether an Accept-Encoding field (§12.5.3) takes gzip: named, or meant by "*", with a weight above 0.
    package static func acceptsGzip(_ field: ByteView) -> Bool {
        var gzip: Bool?
        var others: Bool?
        var begin = 0
        while begin < field.count {
            var end = begin
            while end < field.count, field[end] != UInt8(ascii: ",") { end += 1 }
            let item = field.slice(begin, end)
            begin = end + 1
            var split = 0
            while split < item.count, item[split] != UInt8(ascii: ";") { split += 1 }
            let name = trimmed(item.prefix(split))
            let isWanted = weightIsPositive(trimmed(item.dropFirst(split + 1)))
            if equals(name, "gzip") || equals(name, "x-gzip") { gzip = isWanted }
            if equals(name, "*") { others = isWanted }
        }
        return gzip ?? others ?? false
    }

    private static func equals(_ text: ByteView, _ word: StaticString) -> Bool {
        let word = ByteView(word)
        return text.count == word.count && (0..<word.count).allSatisfy { lowercased(text[$0]) == word[$0] }
    }

    /// "q=0", "q=0.0" … are not; anything else is.
    private static func weightIsPositive(_ parameter: ByteView) -> Bool {
        guard parameter.count >= 3, lowercased(parameter[0]) == UInt8(ascii: "q"), parameter[1] == UInt8(ascii: "=")
        else { return true }
        return parameter.dropFirst(2).buffer.contains { (0x31...0x39).contains($0) }
    }

    /// The bytes in gzip format (RFC 1952), or nil when that saves less than a tenth, or fails.
    package static func gzip(_ bytes: [UInt8]) -> [UInt8]? {
        var stream = z_stream()
        guard bytes.count <= Int(UInt32.max), CZlib_deflateInit(&stream, 6) == Z_OK else { return nil }
        defer { deflateEnd(&stream) }
        var input = bytes
        var output = [UInt8](repeating: 0, count: bytes.count * 9 / 10)
        let room = output.count
        let result = input.withUnsafeMutableBufferPointer { source in
            output.withUnsafeMutableBufferPointer { target in
                stream.next_in = source.baseAddress
                stream.avail_in = uInt(source.count)
                stream.next_out = target.baseAddress
                stream.avail_out = uInt(target.count)
                return deflate(&stream, Z_FINISH)
            }
        }
        guard result == Z_STREAM_END else { return nil }
        output.removeLast(room - Int(stream.total_out))
        return output
    }
}
