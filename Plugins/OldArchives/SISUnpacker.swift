import BytesE
import CModuleABI
import MIMEE
import ModuleKit
import Unpacking

/// Packages of Symbian before version 9 (.sis): files, one form for each language, most of them deflated.
final class SISUnpacker: Unpacker {
    private let languages: Int
    private let isPacked: Bool
    /// Where the next record begins, and how many are left.
    private var position: Int
    private var left: Int
    /// The file under way: which language's form is next.
    private var record = 0
    private var form: Int?

    static var extractor: Extractor {
        Extractor(
            "SIS",
            identify: { candidate in
                guard candidate.data.load(UInt32.self, at: 8) == 0x1000_0419, candidate.data.count > 100 else {
                    return nil
                }
                return .magic(EM_TYPE_ARCHIVE)
            },
            open: { scan, object, _ throws(ModuleError) in SISUnpacker(scan, object) })
    }

    private init(_ scan: ScanContext, _ object: UnsafePointer<em_object>) {
        let data = ByteView(object.pointee.data)
        languages = Int(min(data.load(UInt16.self, at: 18) ?? 0, 128))
        left = Int(data.load(UInt16.self, at: 20) ?? 0)
        isPacked = (data.load(UInt16.self, at: 36) ?? 0) & 8 == 0
        position = Int(data.load(UInt32.self, at: 52) ?? 0)
        super.init(scan, object, format: "SIS")
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        while true {
            try scan.check()
            if let number = form {
                form = number + 1 < languages ? number + 1 : nil
                if try submit(number) { return true }
                continue
            }
            guard left > 0, languages > 0, let kind = data.load(UInt32.self, at: position) else {
                if left > 0 { found(EM_OBJECT_TRUNCATED) }
                return false
            }
            left -= 1
            switch kind {
            case 0:
                record = position
                position += 28 + 12 * languages
                form = 0
            // Conditions, whose text has a size.
            case 3, 4: position += 8 + Int(data.load(UInt32.self, at: position + 4) ?? 0)
            case 5, 6: position += 4
            default:
                found(EM_OBJECT_UNSUPPORTED)
                return false
            }
        }
    }

    /// The form of a file for one language: sizes, places and sizes unpacked stand in three rows.
    private func submit(_ number: Int) throws(ModuleError) -> Bool {
        let rows = record + 28 + 4 * number
        guard let size = data.load(UInt32.self, at: rows), let place = data.load(UInt32.self, at: rows + 4 * languages),
            size > 0
        else { return false }
        let bytes = data.dropFirst(Int(place)).prefix(Int(size))
        var child = Child()
        child.offset = UInt64(min(Int(place), data.count))
        child.extent = UInt64(bytes.count)
        if bytes.count < Int(size) { child.flags |= EM_OBJECT_TRUNCATED }
        if isPacked {
            var output = try Output(scan, in: object, expected: 4 * bytes.count)
            let end = try inflateZlib(bytes, into: &output).end
            note(end, &child)
            try close(&output, &child)
        } else {
            child.data = bytes
            child.flags |= EM_OBJECT_IN_PLACE
        }
        let nameSize = Int(data.load(UInt32.self, at: record + 12) ?? 0)
        let namePlace = Int(data.load(UInt32.self, at: record + 16) ?? 0)
        let name = data.slice(namePlace, namePlace + min(nameSize, 1024))
        try submit(child, name: Charset.utf16LittleEndian.decode(name))
        return true
    }
}
