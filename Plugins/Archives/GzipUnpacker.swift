import BytesE
import CModuleABI
import MIMEE
import ModuleKit
import Unpacking

/// GZIP (RFC 1952). All members together are one file, as gunzip has it; members after the first are offered alone
/// too, because what begins a file decides what it is.
final class GzipUnpacker: Unpacker {
    private var isDone = false

    /// Members that are offered alone.
    private static let mostMembers = 16

    init(_ scan: ScanContext, _ object: UnsafePointer<em_object>) {
        super.init(scan, object, format: "GZIP")
    }

    override func next() throws(ModuleError) -> Bool {
        guard !isDone, mayHaveChildren() else { return false }
        isDone = true
        var output = try Output(scan, in: object)
        var members: [(start: Int, offset: Int)] = []
        var name = ByteView()
        var flags: UInt32 = 0
        var position = 0
        loop: while let header = GzipHeader(data.dropFirst(position)) {
            try scan.check()
            if members.isEmpty { name = header.name }
            if members.count < Self.mostMembers { members.append((output.count, position)) }
            let result = try inflateRaw(data.dropFirst(position + header.size), into: &output)
            position += header.size + result.used
            switch result.end {
            case .complete:
                if data.count - position < 8 {
                    flags |= EM_OBJECT_TRUNCATED
                    break loop
                }
                position += 8
            case .truncated:
                flags |= EM_OBJECT_TRUNCATED
                break loop
            case .damaged:
                flags |= EM_OBJECT_MALFORMED
                break loop
            case .overLimit: break loop
            }
        }
        if members.isEmpty { flags |= EM_OBJECT_MALFORMED }
        found(flags)
        var child = Child()
        child.offset = 0
        child.extent = UInt64(data.count)
        try close(&output, &child)
        // RFC 1952 §2.3.1: the name is ISO 8859-1; in fact it is what the system had.
        let fileName = entryName(name, isUTF8: false, otherwise: .latin1)
        try submit(child, name: fileName.isEmpty ? strippedName() : fileName)
        for (index, member) in members.enumerated().dropFirst() {
            let end = index + 1 < members.count ? members[index + 1].start : output.count
            var alone = Child()
            alone.data = child.data.slice(member.start, end)
            alone.offset = UInt64(member.offset)
            alone.extent = UInt64(data.count - member.offset)
            try submit(alone, name: fileName)
        }
        return true
    }

    /// "a.tar" for "a.tar.gz" and "a.tgz".
    private func strippedName() -> [UInt8] {
        let name = ByteView(object.pointee.name)
        if name.hasSuffixIgnoringCase(ByteView(".gz")) { return name.prefix(name.count - 3).array }
        if name.hasSuffixIgnoringCase(ByteView(".tgz")) {
            return name.prefix(name.count - 3).array + ByteView("tar").array
        }
        return []
    }
}

/// The header of a member.
struct GzipHeader {
    let size: Int
    /// File name; empty if there is none.
    let name: ByteView

    /// nil when the bytes do not begin with a complete header.
    init?(_ bytes: ByteView) {
        guard bytes.count >= 10, bytes[0] == 0x1F, bytes[1] == 0x8B, bytes[2] == 8 else { return nil }
        let flags = bytes[3]
        var index = 10
        if flags & 4 != 0 {
            guard let length = bytes.load(UInt16.self, at: index) else { return nil }
            index += 2 + Int(length)
        }
        var found = ByteView()
        for flag in [UInt8(8), 16] where flags & flag != 0 {
            guard let end = bytes.firstIndex(of: 0, from: index) else { return nil }
            if flag == 8 { found = bytes.slice(index, min(end, index + 1024)) }
            index = end + 1
        }
        if flags & 2 != 0 { index += 2 }
        guard index <= bytes.count else { return nil }
        size = index
        name = found
    }
}
