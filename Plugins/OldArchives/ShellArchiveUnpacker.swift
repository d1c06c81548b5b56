import BytesE
import CModuleABI
import ModuleKit
import Unpacking

/// Shell archives: scripts that write files from texts inside them, each line with a letter before it. Files that are
/// uuencoded inside come out as such.
final class ShellArchiveUnpacker: Unpacker {
    private var position = 0

    static var extractor: Extractor {
        Extractor(
            "SHAR",
            identify: { candidate in
                guard let place = candidate.head.shell, place < 2048 else { return nil }
                let head = candidate.data.prefix(2048)
                guard head.firstIndex(of: 0) == nil,
                    head.firstIndex(of: ByteView("shell archive")) != nil
                        || head.firstIndex(of: ByteView("shar")) != nil
                else { return nil }
                return Claim(.beside, sureness: 60, type: EM_TYPE_UNKNOWN)
            },
            open: { scan, object, _ throws(ModuleError) in ShellArchiveUnpacker(scan, object, format: "SHAR") })
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        while position < data.count {
            try scan.check()
            let line = nextLine()
            guard let document = document(line) else { continue }
            var child = Child()
            child.offset = UInt64(position)
            var output = try Output(scan, in: object)
            var isClosed = false
            while position < data.count, output.stoppedBy == 0 {
                if position & 0xff == 0 { try scan.check() }
                let start = position
                let text = nextLine()
                if text.equals(document.end) {
                    isClosed = true
                    break
                }
                let whole = data.slice(start, position)
                let isMarked = document.mark.map { !whole.isEmpty && whole[0] == $0 } ?? false
                _ = try output.append(whole.dropFirst(isMarked ? 1 : 0))
            }
            child.extent = UInt64(position) - child.offset
            if !isClosed, output.stoppedBy == 0 { child.flags |= EM_OBJECT_TRUNCATED }
            try close(&output, &child)
            try submit(child, name: document.name.prefix(1024).array)
            return true
        }
        return false
    }

    /// The line that begins here, without its end.
    private func nextLine() -> ByteView {
        let start = position
        let end = data.firstIndex(of: 0x0a, from: start) ?? data.count
        position = min(data.count, end + 1)
        return data.slice(start, end > start && data[end - 1] == 0x0d ? end - 1 : end)
    }

    /// What `sed 's/^X//' > NAME << 'END'`, or `cat`, says.
    private func document(_ line: ByteView) -> (name: ByteView, end: ByteView, mark: UInt8?)? {
        let line = line.trimmed
        guard line.count < 4096, line.hasPrefix(ByteView("sed ")) || line.hasPrefix(ByteView("cat ")),
            let here = line.firstIndex(of: ByteView("<<"))
        else { return nil }
        let end = word(line.dropFirst(here + 2))
        guard !end.isEmpty else { return nil }
        var mark: UInt8?
        if let place = line.firstIndex(of: ByteView("s/^")), place + 3 < line.count { mark = line[place + 3] }
        var name = ByteView()
        if let place = line.firstIndex(of: 0x3e) {
            name = word(line.dropFirst(place + 1))
            if name.isEmpty, place + 1 < line.count, line[place + 1] == 0x3e { name = word(line.dropFirst(place + 2)) }
        }
        return (name, end, mark)
    }

    /// The next word, without the quotes around it.
    private func word(_ text: ByteView) -> ByteView {
        var start = 0
        while start < text.count, isASCIISpace(text[start]) || text[start] == 0x2d { start += 1 }
        if start < text.count, text[start] == 0x5c { start += 1 }
        guard start < text.count else { return ByteView() }
        if text[start] == 0x27 || text[start] == 0x22 {
            let end = text.firstIndex(of: text[start], from: start + 1) ?? text.count
            return text.slice(start + 1, end)
        }
        var end = start
        while end < text.count, !isASCIISpace(text[end]), text[end] != 0x3c, text[end] != 0x3e { end += 1 }
        return text.slice(start, end)
    }
}
