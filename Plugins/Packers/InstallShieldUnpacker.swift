import BytesE
import CModuleABI
import ModuleKit
import Unpacking

/// What InstallShield appends to its setup program: files one behind another, each with four texts before it (name,
/// path, version, size). Of its own cabinets (data1.hdr with data1.cab …) every file that is packed in them; and the
/// form of installers with an MSI database, whose files are deflated and masked with their names.
final class InstallShieldUnpacker: Unpacker {
    private enum Stage {
        case plain(Int)
        case cabinet(Int)
        case masked(Int, left: Int)
        case done
    }
    private var stage: Stage
    private var cabinets: [(number: Int, place: Range<Int>)] = []
    private var header: Range<Int>?

    static var extractor: Extractor {
        Extractor(
            "INSTALLSHIELD", option: "av_scan_obj_sfx",
            identify: { candidate in
                guard maskedStart(candidate.data) != nil || fileHead(candidate.data, 0) != nil else { return nil }
                return Claim(.whole, sureness: 60, type: EM_TYPE_ARCHIVE)
            },
            open: { scan, object, _ throws(ModuleError) in InstallShieldUnpacker(scan, object) })
    }

    private init(_ scan: ScanContext, _ object: UnsafePointer<em_object>) {
        let data = ByteView(object.pointee.data)
        if let start = Self.maskedStart(data) {
            stage = .masked(start + 0x2e, left: Int(data.load(UInt32.self, at: start + 14) ?? 0))
        } else {
            stage = .plain(0)
        }
        super.init(scan, object, format: "INSTALLSHIELD")
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        while true {
            try scan.check()
            switch stage {
            case .plain(let position):
                if try plain(position) { return true }
            case .cabinet(let number):
                if try packed(number) { return true }
            case .masked(let position, let left):
                guard left > 0, try masked(position, left) else {
                    stage = .done
                    continue
                }
                return true
            case .done: return false
            }
        }
    }

    // MARK: Files one behind another

    private struct FileHead {
        let name: ByteView
        let place: Range<Int>
    }

    /// The four texts at a place, when they are such.
    private static func fileHead(_ data: ByteView, _ start: Int) -> FileHead? {
        var index = start
        func text(_ most: Int) -> ByteView? {
            let part = data.slice(index, index + most)
            guard let end = part.firstIndex(of: 0), end > 0, part.firstIndex(below: 0x20) == end else { return nil }
            index += end + 1
            return part.prefix(end)
        }
        guard start < data.count, data[start] > 0x20, let name = text(260), let path = text(260),
            let version = text(64),
            path.hasSuffixIgnoringCase(name), version.firstIndex(of: 0x2e) != nil, let digits = text(12)
        else { return nil }
        var size = 0
        for byte in digits.buffer {
            guard byte &- 0x30 < 10 else { return nil }
            size = size * 10 + Int(byte - 0x30)
        }
        return FileHead(name: name, place: index..<index + size)
    }

    private func plain(_ position: Int) throws(ModuleError) -> Bool {
        guard let head = Self.fileHead(data, position) else {
            stage = header == nil || cabinets.isEmpty ? .done : .cabinet(0)
            return false
        }
        stage = .plain(head.place.upperBound)
        if head.name.equalsIgnoringCase(ByteView("data1.hdr")) {
            header = head.place
        } else if head.name.hasPrefixIgnoringCase(ByteView("data")), head.name.hasSuffixIgnoringCase(ByteView(".cab")),
            head.name.count >= 9, head.name[4] &- 0x30 < 10, cabinets.count < 100
        {
            var number = 0
            for byte in head.name.slice(4, min(9, head.name.count - 4)).buffer where byte &- 0x30 < 10 {
                number = number * 10 + Int(byte - 0x30)
            }
            cabinets.append((number, head.place))
        }
        try submit(part(head.place), name: head.name.array)
        return true
    }

    // MARK: Cabinets

    /// The file of a number in the header's table; deflated pieces, each with its size before it.
    private func packed(_ number: Int) throws(ModuleError) -> Bool {
        guard let header else {
            stage = .done
            return false
        }
        let table = data.slice(header.lowerBound, header.upperBound)
        let size = 0x57
        guard table.hasPrefix(ByteView("ISc(")), let base = table.load(UInt32.self, at: 12).map(Int.init),
            let folders = table.load(UInt32.self, at: base + 12), let count = table.load(UInt32.self, at: base + 40),
            let skip = table.load(UInt32.self, at: base + 44), number < Int(count)
        else {
            stage = .done
            return false
        }
        stage = .cabinet(number + 1)
        let entry = base + Int(folders) + Int(skip) + size * number
        guard entry + size <= table.count else {
            found(EM_OBJECT_MALFORMED)
            stage = .done
            return false
        }
        // Only what is packed, and the first of several that are the same.
        guard table.load(UInt16.self, at: entry) == 4, table[entry + 0x54] & 1 == 0,
            let offset = table.load(UInt64.self, at: entry + 18), let length = table.load(UInt64.self, at: entry + 10),
            let cabinet = table.load(UInt16.self, at: entry + 0x55), length > 0,
            let place = cabinets.first(where: { $0.number == Int(cabinet) })?.place, offset < UInt64(place.count)
        else { return false }
        let bytes = data.slice(place.lowerBound + Int(offset), place.upperBound).prefix(Int(clamping: length))
        var child = Child()
        child.offset = UInt64(place.lowerBound) + offset
        child.extent = UInt64(bytes.count)
        var output = try Output(scan, in: object)
        var index = 0
        while let piece = bytes.load(UInt16.self, at: index) {
            try scan.check()
            index += 2
            let end = try inflateRaw(bytes.slice(index, index + Int(piece)), into: &output).end
            index += Int(piece)
            guard end == .complete || end == .truncated else {
                if end == .damaged { child.flags |= EM_OBJECT_MALFORMED }
                break
            }
        }
        try close(&output, &child)
        try submit(child, name: name(table, base + Int(folders) + Int(table.load(UInt32.self, at: entry + 0x3a) ?? 0)))
        return true
    }

    private func name(_ table: ByteView, _ place: Int) -> [UInt8] {
        let text = table.slice(place, place + 260)
        return text.prefix(text.firstIndex(of: 0) ?? 0).array
    }

    // MARK: Files that are masked

    /// Where "InstallShield" stands: at the beginning, or behind the debug record of the setup program.
    private static func maskedStart(_ data: ByteView) -> Int? {
        var start = 0
        if data.hasPrefix(ByteView("NB10")) {
            guard let end = data.prefix(512).firstIndex(of: 0, from: 16) else { return nil }
            start = end + 1
            while start < 1024, start < data.count, data[start] == 0 { start += 1 }
        }
        return data.dropFirst(start).hasPrefix(ByteView("InstallShield\0")) ? start : nil
    }

    private func masked(_ position: Int, _ left: Int) throws(ModuleError) -> Bool {
        let headSize = 0x138
        guard position + headSize <= data.count, let size = data.load(UInt64.self, at: position + 0x10c) else {
            if position < data.count { found(EM_OBJECT_TRUNCATED) }
            return false
        }
        let raw = data.slice(position, position + 0x104)
        let name = raw.prefix(raw.firstIndex(of: 0) ?? 0).array
        guard !name.isEmpty else { return false }
        let start = position + headSize
        let bytes = data.dropFirst(start).prefix(Int(clamping: size))
        stage = .masked(start + bytes.count, left: left - 1)
        var child = Child()
        child.offset = UInt64(start)
        child.extent = UInt64(bytes.count)
        if UInt64(bytes.count) < size { child.flags |= EM_OBJECT_TRUNCATED }
        let masks: InlineArray<4, UInt8> = [0xec, 0xca, 0x79, 0xf8]
        var key = name
        for index in 0..<key.count { key[index] ^= masks[index & 3] }
        var plain = try Output(scan, in: object, expected: bytes.count)
        var index = 0
        while index < bytes.count, let room = try plain.room() {
            let step = min(room.count, bytes.count - index)
            for place in 0..<step {
                let byte = bytes[index + place]
                room[place] = (byte >> 4 | byte << 4) ^ key[((index + place) & 0x3ff) % key.count]
            }
            plain.advance(step)
            index += step
        }
        let unmasked = try plain.finish()
        var output = try Output(scan, in: object)
        let end = try inflateZlib(unmasked, into: &output).end
        note(end, &child)
        try close(&output, &child)
        try submit(child, name: name)
        return true
    }
}
