import BytesE
import CModuleABI
import ModuleKit
import Unpacking

/// yEnc (version 1.3): files in texts, between "=ybegin" and "=yend". Parts of one file are offered each alone, and those
/// that the text has together.
final class YEncUnpacker: Unpacker {
    private var position = 0
    /// Parts of files that were cut.
    private var parts: [Part] = []

    private struct Part {
        let name: [UInt8]
        /// Where its content begins in the file.
        let begin: Int
        let body: Range<Int>
    }

    private static let mostParts = 256

    static var extractor: Extractor {
        Extractor(
            "YENC", option: "av_scan_obj_emails",
            identify: { candidate in
                // Encoded bytes may be anything but NUL, CR and LF.
                guard candidate.marks.contains(.yEnc) else { return nil }
                return Claim(.beside, sureness: 60, type: EM_TYPE_UNKNOWN)
            },
            open: { scan, object, _ throws(ModuleError) in YEncUnpacker(scan, object, format: "YENC") })
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        guard let start = try lineStart(of: ByteView("=ybegin "), from: position) else {
            position = data.count
            return try nextJoined()
        }
        var at = lineEnd(data, from: start)
        let head = data.slice(start, at)
        var begin: Int?
        if data.dropFirst(at).hasPrefix(ByteView("=ypart ")) {
            let line = data.slice(at, lineEnd(data, from: at))
            begin = Self.number(of: ByteView(" begin="), in: line)
            at += line.count
        }
        let end = try lineStart(of: ByteView("=yend"), from: at) ?? data.count
        if let begin, parts.count < Self.mostParts {
            parts.append(Part(name: name(in: head), begin: begin, body: at..<end))
        }
        position = end
        var child = Child()
        child.offset = UInt64(start)
        child.extent = UInt64(lineEnd(data, from: end) - start)
        if end == data.count { child.flags |= EM_OBJECT_TRUNCATED }
        var output = try Output(scan, in: object, expected: end - at)
        try decode(data.slice(at, end), into: &output)
        try close(&output, &child)
        try submit(child, name: name(in: head))
        return true
    }

    /// Offers the next file of several parts; false when there are no more.
    private func nextJoined() throws(ModuleError) -> Bool {
        while let first = parts.first {
            let all = parts.filter { $0.name == first.name }.sorted { $0.begin < $1.begin }
            parts.removeAll { $0.name == first.name }
            guard all.count > 1 else { continue }
            var child = Child()
            var output = try Output(scan, in: object, expected: all.reduce(0) { $0 + $1.body.count })
            for part in all { try decode(data.slice(part.body.lowerBound, part.body.upperBound), into: &output) }
            try close(&output, &child)
            try submit(child, name: first.name)
            return true
        }
        return false
    }

    private static func number(of key: ByteView, in line: ByteView) -> Int? {
        guard let at = line.firstIndex(of: key) else { return nil }
        var value = 0
        var index = at + key.count
        let first = index
        while index < line.count, index - first < 15, line[index] &- 0x30 < 10 {
            value = value * 10 + Int(line[index] - 0x30)
            index += 1
        }
        return index > first ? value : nil
    }

    private func decode(_ input: ByteView, into output: inout Output) throws(ModuleError) {
        var index = 0
        var isLineStart = true
        while index < input.count, let room = try output.room() {
            var count = 0
            while index < input.count, count < room.count {
                var byte = input[index]
                index += 1
                if byte == 0x0d || byte == 0x0a {
                    isLineStart = true
                    continue
                }
                // Transports double a dot that begins a line.
                if isLineStart, byte == 0x2e, index < input.count, input[index] == 0x2e { index += 1 }
                isLineStart = false
                if byte == 0x3d {
                    guard index < input.count else { break }
                    byte = input[index] &- 64
                    index += 1
                }
                room[count] = byte &- 42
                count += 1
            }
            output.advance(count)
        }
    }

    /// The name is the last of the parameters and may hold spaces.
    private func name(in head: ByteView) -> [UInt8] {
        guard let at = head.firstIndex(of: ByteView(" name=")) else { return [] }
        var name = head.dropFirst(at + 6)
        while !name.isEmpty, isASCIISpace(name[name.count - 1]) { name = name.prefix(name.count - 1) }
        return name.prefix(1024).array
    }
}
