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

    /// Offers the archives that were put together of one kind and name, or the next attachment that was held back; false when
    /// there are no more.
    func offerVolumes() throws(ModuleError) -> Bool {
        while let first = volumes.first {
            var set = volumes.filter { $0.name.belongs(to: first.name) }
            volumes.removeAll { $0.name.belongs(to: first.name) }
            let all = set.filter { $0.isHeld }
            var joined: [Range<Int>] = []
            if first.name.kind == .cabinet {
                joined = try joinCabinets(set)
            } else {
                // Of several of the same number the first.
                set.sort { $0.name.number < $1.name.number }
                var number = -1
                set.removeAll { volume in
                    defer { number = volume.name.number }
                    return volume.name.number == number
                }
                if set.count > 1, !all.isEmpty, try join(set) { joined = set.map { $0.part.body } }
            }
            held = all.map { ($0.part, joined.contains($0.part.body)) }
            // They are offered in later calls, when the memory that was needed here is free again.
            if !joined.isEmpty || !held.isEmpty { return true }
        }
        return false
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
        if first.name.kind == .rar || first.name.kind == .arj {
            guard let volumes = try decoded(set) else { return false }
            var output = try Output(scan, in: object, expected: expected)
            let isJoined =
                try first.name.kind == .rar
                ? joinRAR(volumes, scan, into: &output) : joinARJ(volumes, scan, into: &output)
            guard isJoined else { return false }
            try close(&output, &child)
        } else {
            var output = try Output(scan, in: object, expected: expected)
            for volume in set { try decode(volume.part, into: &output) }
            try close(&output, &child)
        }
        try submit(child, name: first.name.archiveName)
        return true
    }

    /// Submits the cabinets that go on in others, each chain as one; where those lie of which there is one.
    private func joinCabinets(_ set: [Volume]) throws(ModuleError) -> [Range<Int>] {
        guard set.count > 1, mayHaveChildren() else { return [] }
        var joined: [Range<Int>] = []
        var heads: [ByteView] = []
        for volume in set {
            var output = try Output(scan, in: object)
            try decode(volume.part, into: &output, most: Self.mostOfHead)
            heads.append(try output.finish())
        }
        for chain in cabinetChains(heads) {
            guard let cabinets = try decoded(chain.map { set[$0] }) else { continue }
            var output = try Output(scan, in: object, expected: cabinets.reduce(0) { $0 + $1.count })
            guard try OldArchives.joinCabinets(cabinets, scan, into: &output) else { continue }
            var child = Child()
            try close(&output, &child)
            try submit(child, name: chain.first.map { set[$0].part.names.first ?? [] } ?? [])
            joined += chain.map { set[$0].part.body }
        }
        return joined
    }

    /// Encoded bytes of a cabinet that hold its header.
    private static var mostOfHead: Int { 1 << 17 }

    /// The volumes, decoded; nil when a limit does not allow all of them.
    private func decoded(_ set: [Volume]) throws(ModuleError) -> [ByteView]? {
        var result: [ByteView] = []
        for volume in set {
            guard volume.part.encoding != .identity else {
                result.append(data.slice(volume.part.body.lowerBound, volume.part.body.upperBound))
                continue
            }
            var output = try Output(scan, in: object, expected: volume.part.body.count)
            try decode(volume.part, into: &output)
            guard output.stoppedBy == 0 else {
                overLimit(output.stoppedBy)
                return nil
            }
            result.append(try output.finish())
        }
        return result
    }

    /// Whether an archive is not whole without other volumes. Whatever else is called like a volume is opened by itself,
    /// too.
    func isVolume(_ data: ByteView) -> Bool {
        if isRARVolume(data) || isARJVolume(data) || isCabinetVolume(data) { return true }
        // 7z: its header lies behind its end.
        guard data.hasPrefix(ByteView("7z")), data.load(UInt32.self, at: 2) == 0x1c27_afbc,
            let offset = data.load(UInt64.self, at: 12)
        else { return false }
        return offset >= UInt64(data.count)
    }

    /// - Parameter most: encoded bytes that are looked at.
    private func decode(_ part: MIMEPart, into output: inout Output, most: Int = .max) throws(ModuleError) {
        let input = data.slice(part.body.lowerBound, part.body.upperBound).prefix(most)
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
