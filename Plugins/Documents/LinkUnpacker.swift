import BytesE
import CModuleABI
import MIMEE
import ModuleKit
import Unpacking

/// Shell links (MS-SHLLINK): the command that the link runs, and what follows the link itself, which droppers carry
/// there.
final class LinkUnpacker: Unpacker {
    private enum Stage { case command, appended, done }
    private var stage = Stage.command
    /// Behind the link itself; nil when its structure leads outside.
    private var end: Int?

    static var extractor: Extractor {
        Extractor(
            "LNK",
            identify: { candidate in
                let data = candidate.data
                guard data.load(UInt32.self, at: 0) == 0x4c, data.load(UInt32.self, at: 4) == 0x0002_1401 else {
                    return nil
                }
                return .magic(EM_TYPE_LNK)
            },
            open: { scan, object, _ throws(ModuleError) in LinkUnpacker(scan, object, format: "LNK") })
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        if case .command = stage {
            stage = .appended
            let link = Link(data)
            end = link?.end
            if link == nil { found(EM_OBJECT_MALFORMED) }
            if let link, !link.command.isEmpty {
                try submit(link)
                return true
            }
        }
        guard case .appended = stage else { return false }
        stage = .done
        guard let end, end < data.count else { return false }
        try submit(part(end..<data.count))
        return true
    }

    /// The program and its arguments as one line of a script.
    private func submit(_ link: Link) throws(ModuleError) {
        var output = try Output(scan, in: object, expected: 1024)
        for (index, part) in link.command.enumerated() {
            if index > 0 { _ = try output.append(0x20) }
            let text = link.isWide ? Charset.utf16LittleEndian.decode(part) : part.array
            let isKept = try text.span.withUnsafeBufferPointer { buffer throws(ModuleError) in
                try output.append(ByteView(buffer))
            }
            guard isKept else { break }
        }
        var child = Child()
        child.type = EM_TYPE_SCRIPT
        try close(&output, &child)
        try submit(child, name: ByteView("command.cmd").array)
    }
}

/// Header, target list, location, strings, blocks of extra data.
private struct Link {
    let isWide: Bool
    /// The relative path and the arguments, those that are there.
    private(set) var command: [ByteView] = []
    let end: Int?

    init?(_ data: ByteView) {
        guard let flags = data.load(UInt32.self, at: 20) else { return nil }
        isWide = flags & 0x80 != 0
        var index = 0x4c
        if flags & 0x01 != 0 {
            guard let size = data.load(UInt16.self, at: index) else { return nil }
            index += 2 + Int(size)
        }
        if flags & 0x02 != 0 {
            guard let size = data.load(UInt32.self, at: index) else { return nil }
            index += Int(size)
        }
        // Description, relative path, working folder, arguments, place of the icon.
        for bit in 2...6 where flags >> UInt32(bit) & 1 != 0 {
            guard let count = data.load(UInt16.self, at: index) else { return nil }
            let start = index + 2
            index = start + Int(count) * (isWide ? 2 : 1)
            if bit == 3 || bit == 5 { command.append(data.slice(start, index)) }
        }
        var end: Int?
        while end == nil, index <= data.count, let size = data.load(UInt32.self, at: index) {
            if size < 4 { end = index + 4 } else { index += Int(size) }
        }
        self.end = end
    }
}
