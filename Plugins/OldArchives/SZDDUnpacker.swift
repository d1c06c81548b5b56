import BytesE
import CModuleABI
import ModuleKit
import Unpacking

/// Files of Microsoft's COMPRESS.EXE ("SZDD", and the form of QBasic): copies out of a window of 4 KiB.
final class SZDDUnpacker: Unpacker {
    private var isDone = false

    /// The signature of each form, as two numbers.
    private static func start(_ data: ByteView) -> Int? {
        guard let first = data.load(UInt32.self, at: 0), let second = data.load(UInt32.self, at: 4) else { return nil }
        if first == 0x4444_5a53, second == 0x3327_f088, data.count > 14, data[8] == 0x41 { return 14 }
        return first == 0x8820_5a53 && second == 0xd133_27f0 ? 12 : nil
    }

    static var extractor: Extractor {
        Extractor(
            "SZDD", identify: { candidate in start(candidate.data) == nil ? nil : .magic(EM_TYPE_ARCHIVE) },
            open: { scan, object, _ throws(ModuleError) in SZDDUnpacker(scan, object, format: "SZDD") })
    }

    override func next() throws(ModuleError) -> Bool {
        guard !isDone, mayHaveChildren(), let start = Self.start(data),
            let size = data.load(UInt32.self, at: start - 4)
        else { return false }
        isDone = true
        var child = Child()
        child.offset = UInt64(start)
        child.extent = UInt64(data.count - start)
        child.statedSize = UInt64(size)
        var output = try Output(scan, in: object, expected: Int(size))
        // Places in the window count from where its writing begins.
        let begin = start == 14 ? 4096 - 16 : 4096 - 18
        var index = start
        var turns = 0
        while index < data.count, output.count < Int(size), output.stoppedBy == 0 {
            turns += 1
            if turns & 0x3ff == 0 { try scan.check() }
            let flags = data[index]
            index += 1
            for bit in 0..<8 where index < data.count && output.count < Int(size) {
                if flags >> UInt8(bit) & 1 == 1 {
                    _ = try output.append(data[index])
                    index += 1
                    continue
                }
                guard let pair = data.load(UInt16.self, at: index) else {
                    index = data.count
                    break
                }
                index += 2
                let place = Int(pair & 0xff | pair >> 4 & 0xf00)
                let length = min(Int(pair >> 8 & 15) + 3, Int(size) - output.count)
                var distance = (begin + output.count - place) & 4095
                if distance == 0 { distance = 4096 }
                // The window begins as spaces.
                let before = min(length, max(0, distance - output.count))
                guard try output.append(0x20, count: before),
                    try output.repeatBytes(from: distance, count: length - before)
                else { break }
            }
        }
        if output.count < Int(size), output.stoppedBy == 0 { child.flags |= EM_OBJECT_TRUNCATED }
        try close(&output, &child)
        try submit(child, name: innerName())
        return true
    }

    /// "SETUP.EXE" for "SETUP.EX_": the letter that is missing stands in the header.
    private func innerName() -> [UInt8] {
        var name = ByteView(object.pointee.name).array
        guard name.last == 0x5f, data[9] > 0x20, data[9] < 0x7f else { return [] }
        name[name.count - 1] = data[9]
        return name
    }
}
