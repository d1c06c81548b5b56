import Bytes
import MIME

/// A message of lines, with CR LF.
func lines(_ text: String...) -> [UInt8] { Array(text.joined(separator: "\r\n").utf8) }

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

extension [UInt8] {
    /// Lends the bytes.
    func view<R>(_ body: (ByteView) throws -> R) rethrows -> R {
        try withUnsafeBufferPointer { try body(ByteView($0)) }
    }

    /// All leaves of a reading: media type, names joined with "|", decoded text.
    func leaves(_ reading: MIMEReading = MIMEReading()) -> [[String]] {
        view { bytes in
            var walker = MIMEWalker(bytes, reading: reading)
            var result: [[String]] = []
            while let part = walker.next() {
                guard part.kind == .leaf else { continue }
                result.append([
                    text(part.mediaType), part.names.map(text).joined(separator: "|"),
                    text(part.decoded(in: bytes, limit: 100_000)),
                ])
            }
            return result
        }
    }

    /// Decoded texts of the leaves of all readings that the message deserves.
    func everyText() -> Set<String> {
        var result = Set(leaves().map { $0[2] })
        var readings = MIMEReadings()
        var found = ambiguities()
        while let reading = readings.next(after: found) {
            for leaf in leaves(reading) { result.insert(leaf[2]) }
            found = ambiguities(reading)
        }
        return result
    }

    /// What a walk meets.
    func ambiguities(_ reading: MIMEReading = MIMEReading()) -> MIMEAmbiguities {
        view { bytes in
            var walker = MIMEWalker(bytes, reading: reading)
            while walker.next() != nil {}
            return walker.ambiguities
        }
    }

    func walked() -> (kinds: [MIMEPart.Kind], defects: MIMEDefects, ambiguities: MIMEAmbiguities) {
        view { bytes in
            var walker = MIMEWalker(bytes)
            var kinds: [MIMEPart.Kind] = []
            while let part = walker.next() { kinds.append(part.kind) }
            return (kinds, walker.defects, walker.ambiguities)
        }
    }
}
