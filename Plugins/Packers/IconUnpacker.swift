import BytesE
import CModuleABI
import ModuleKit
import Unpacking

/// Icons and cursors (.ico, .cur): each picture, PNG or bitmap, lies in place.
final class IconUnpacker: Unpacker {
    private var number = 0

    private static let entrySize = 16

    static var extractor: Extractor {
        Extractor(
            "ICO",
            identify: { candidate in
                let data = candidate.data
                guard let head = data.load(UInt32.self, at: 0), head == 0x0001_0000 || head == 0x0002_0000,
                    let count = data.load(UInt16.self, at: 4), (1...256).contains(count), data.count > 22,
                    data[9] == 0, let place = place(data, 0), place.lowerBound >= 6 + entrySize * Int(count)
                else { return nil }
                return Claim(.whole, sureness: 70, type: EM_TYPE_GRAPHICS)
            },
            open: { scan, object, _ throws(ModuleError) in IconUnpacker(scan, object, format: "ICO") })
    }

    /// Where a picture lies; nil when it begins outside.
    private static func place(_ data: ByteView, _ number: Int) -> Range<Int>? {
        let entry = 6 + entrySize * number
        guard let size = data.load(UInt32.self, at: entry + 8), let offset = data.load(UInt32.self, at: entry + 12),
            size > 0, Int(offset) < data.count
        else { return nil }
        return Int(offset)..<min(data.count, Int(offset) + Int(size))
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        let count = Int(data.load(UInt16.self, at: 4) ?? 0)
        while number < count {
            try scan.check()
            defer { number += 1 }
            guard let place = Self.place(data, number) else {
                found(EM_OBJECT_MALFORMED)
                continue
            }
            try submit(part(place))
            return true
        }
        return false
    }
}
