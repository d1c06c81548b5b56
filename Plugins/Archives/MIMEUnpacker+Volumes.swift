import BytesE
import CModuleABI
import MIMEE
import ModuleKit
import OldArchives
import Unpacking

/// Archives that were cut into volumes, which came as attachments of one message: put together by their names.
extension MIMEUnpacker {
    /// An attachment that is called like a volume.
    struct Volume {
        let name: VolumeName
        let part: MIMEPart
        /// It is offered together with the others, and not before.
        let isHeld: Bool
    }

    private static var mostVolumes: Int { 256 }

    /// Takes note of an attachment that may be a volume; whether it is held back until the others are known.
    func hold(_ part: MIMEPart) -> Bool {
        guard isDefaultReading, part.kind == .leaf, volumes.count < Self.mostVolumes, let text = part.names.first,
            let name = VolumeName(text)
        else { return false }
        volumes.append(Volume(name: name, part: part, isHeld: name.isCertain))
        return name.isCertain
    }

    /// Offers one archive that was put together, or the next attachment that was held back; false when there are no more.
    func offerVolumes() throws(ModuleError) -> Bool {
        while let first = volumes.first {
            var set = volumes.filter { $0.name.belongs(to: first.name) }
            // Of several of the same number the first.
            set.sort { $0.name.number < $1.name.number }
            var numbers = -1
            set.removeAll { volume in
                defer { numbers = volume.name.number }
                return volume.name.number == numbers
            }
            let all = volumes.filter { $0.name.belongs(to: first.name) && $0.isHeld }
            volumes.removeAll { $0.name.belongs(to: first.name) }
            let isJoined = set.count > 1 && set.contains { $0.isHeld }
            held = all.map { ($0.part, isJoined) }
            if isJoined, try join(set) { return true }
            held = all.map { ($0.part, false) }
            if try offerHeld() { return true }
        }
        return try offerHeld()
    }

    /// Offers what was held back, one after another.
    func offerHeld() throws(ModuleError) -> Bool {
        guard !held.isEmpty else { return false }
        let (part, isOpened) = held.removeFirst()
        _ = try submit(part, part.encoding, isOpenedElsewhere: isOpened)
        for encoding in part.otherEncodings { _ = try submit(part, encoding) }
        return true
    }

    /// Submits the archive that the volumes are of; false when nothing came of it.
    private func join(_ set: [Volume]) throws(ModuleError) -> Bool {
        guard let first = set.first, mayHaveChildren() else { return false }
        var child = Child()
        var expected = 0
        for volume in set { expected += volume.part.body.count }
        if first.name.kind == .rar {
            var volumes: [ByteView] = []
            for volume in set {
                var output = try Output(scan, in: object, expected: volume.part.body.count)
                try decode(volume.part, into: &output)
                volumes.append(try output.finish())
            }
            var output = try Output(scan, in: object, expected: expected)
            guard try joinRAR(volumes, scan, into: &output) else { return false }
            try close(&output, &child)
        } else {
            var output = try Output(scan, in: object, expected: expected)
            for volume in set { try decode(volume.part, into: &output) }
            try close(&output, &child)
        }
        try submit(child, name: first.name.archiveName)
        return true
    }

    /// Whether an archive is not whole without other volumes. Whatever else is called like a volume is opened by itself,
    /// too.
    func isVolume(_ data: ByteView) -> Bool {
        if isRARVolume(data) { return true }
        // 7z: its header lies behind its end.
        guard data.hasPrefix(ByteView("7z")), data.load(UInt32.self, at: 2) == 0x1c27_afbc,
            let offset = data.load(UInt64.self, at: 12)
        else { return false }
        return offset >= UInt64(data.count)
    }

    private func decode(_ part: MIMEPart, into output: inout Output) throws(ModuleError) {
        let input = data.slice(part.body.lowerBound, part.body.upperBound)
        guard part.encoding != .identity else {
            _ = try output.append(input)
            return
        }
        var decoder = TransferDecoder(part.encoding)
        var position = 0
        while position < input.count, let room = try output.room() {
            output.advance(decoder.decode(input, from: &position, into: room))
        }
    }
}
