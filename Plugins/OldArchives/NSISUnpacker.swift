import BytesE
import CModuleABI
import MIMEE
import ModuleKit
import Streams
import Unpacking

/// Installers of NSIS, versions 2 and 3 (Source/exehead/fileform.h of NSIS): the script's data and every file, packed
/// one by one or all together by deflate, LZMA or bzip2.
///
/// The archive follows a program: what is appended to it is an object of its own, which begins with a header.
final class NSISUnpacker: Unpacker {
    private enum Method { case stored, deflate, lzma, bzip2 }

    private var method = Method.stored
    private var isSolid = false
    private var isStarted = false
    /// The archive's data behind the first header.
    private var body = ByteView()
    private var bodyStart = 0
    /// Where the next packed file begins.
    private var position = 0
    /// Where the data of files begins: the script counts from there.
    private var base = 0
    private var names = NSISNames()

    static var extractor: Extractor {
        Extractor(
            "NSIS", option: "av_scan_obj_sfx",
            identify: { candidate in
                guard let place = header(candidate.data) else { return nil }
                return Claim(.whole, sureness: place == 0 ? 95 : 70, type: EM_TYPE_ARCHIVE)
            },
            open: { scan, object, _ throws(ModuleError) in NSISUnpacker(scan, object, format: "NSIS") })
    }

    /// The first header lies at a multiple of 512 bytes.
    private static func header(_ data: ByteView) -> Int? {
        guard !data.hasPrefix(ByteView("MZ")) else { return nil }
        var place = 0
        while place < min(data.count, 65536) {
            if data.load(UInt32.self, at: place + 4) == 0xdead_beef,
                data.dropFirst(place + 8).hasPrefix(ByteView("NullsoftInst"))
            {
                return place
            }
            place += 512
        }
        return nil
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        if !isStarted {
            isStarted = true
            return try start()
        }
        guard !isSolid, let word = body.load(UInt32.self, at: position) else { return false }
        let size = Int(word & 0x7fff_ffff)
        let offset = position - base
        let packed = body.dropFirst(position + 4).prefix(size)
        guard size > 0, !packed.isEmpty else { return false }
        var child = Child()
        child.offset = UInt64(bodyStart + position + 4)
        child.extent = UInt64(packed.count)
        if packed.count < size {
            // What follows the last file is a checksum, or the certificate of the program.
            if flags & EM_OBJECT_TRUNCATED == 0, names.name(of: offset).isEmpty { return false }
            child.flags |= EM_OBJECT_TRUNCATED
        }
        position += 4 + size
        if word >> 31 == 0 {
            child.data = packed
            child.flags |= EM_OBJECT_IN_PLACE
        } else {
            let work = try workspace(packed)
            var output = try Output(scan, in: object)
            if try expand(packed, work, into: &output) != .complete { child.flags |= EM_OBJECT_MALFORMED }
            try close(&output, &child)
        }
        try submit(child, name: names.name(of: offset))
        return true
    }

    /// Reads what the header says, and submits the script's data; all of a solid archive.
    private func start() throws(ModuleError) -> Bool {
        guard let place = Self.header(data), let headerSize = data.load(UInt32.self, at: place + 20),
            let following = data.load(UInt32.self, at: place + 24), let word = data.load(UInt32.self, at: place + 28)
        else { return false }
        if following < 28 { found(EM_OBJECT_MALFORMED) }
        bodyStart = place + 28
        body = data.slice(bodyStart, max(bodyStart, place + Int(following)))
        if body.count < Int(following) - 28 { found(EM_OBJECT_TRUNCATED) }
        if word == headerSize {
            method = .stored
        } else if Self.isLZMA(body) {
            (method, isSolid) = (.lzma, true)
        } else if word >> 24 == 0x80 {
            let packed = body.dropFirst(4)
            method = Self.isLZMA(packed) ? .lzma : Self.isBzip2(packed) ? .bzip2 : .deflate
        } else {
            (method, isSolid) = (Self.isBzip2(body) ? .bzip2 : .deflate, true)
        }
        if isSolid { return try submitSolid() }
        let size = Int(word & 0x7fff_ffff)
        let packed = body.dropFirst(4).prefix(size)
        position = 4 + size
        base = position
        var child = Child()
        child.offset = UInt64(bodyStart + 4)
        child.extent = UInt64(packed.count)
        if method == .stored {
            child.data = packed
            child.flags |= EM_OBJECT_IN_PLACE
        } else {
            let work = try workspace(packed)
            var output = try Output(scan, in: object)
            if try expand(packed, work, into: &output) != .complete { child.flags |= EM_OBJECT_MALFORMED }
            try close(&output, &child)
        }
        names = NSISNames(child.data)
        try submit(child)
        return true
    }

    /// One stream: each piece with its size before it, the script's data first.
    private func submitSolid() throws(ModuleError) -> Bool {
        let work = try workspace(body)
        var output = try Output(scan, in: object)
        if try expand(body, work, into: &output) != .complete { found(EM_OBJECT_MALFORMED) }
        var whole = Child()
        try close(&output, &whole)
        let all = whole.data
        var place = 0
        var isFirst = true
        while place + 4 <= all.count, let word = all.load(UInt32.self, at: place) {
            guard isFirst || mayHaveChildren() else { return false }
            try scan.check()
            let size = Int(word & 0x7fff_ffff)
            var child = Child()
            child.data = all.dropFirst(place + 4).prefix(size)
            child.flags = whole.flags
            if child.data.count < size { child.flags |= EM_OBJECT_TRUNCATED }
            let offset = place - base
            place += 4 + size
            if isFirst {
                names = NSISNames(child.data)
                base = place
                try submit(child)
            } else if !child.data.isEmpty {
                try submit(child, name: names.name(of: offset))
            }
            isFirst = false
        }
        return true
    }

    private static func isLZMA(_ data: ByteView) -> Bool {
        data.count > 7 && data[0] == 0x5d && data[1] == 0 && data[2] == 0 && data[5] == 0 && data[6] < 0x80
    }

    /// A block of NSIS's own bzip2: one byte, then the place of the first character, below 900,000.
    private static func isBzip2(_ data: ByteView) -> Bool { data.count > 4 && data[0] == 0x31 && data[1] < 14 }

    /// What bzip2 needs, and room for the window of LZMA; the output grows, so it comes behind this in the arena.
    private func workspace(_ packed: ByteView) throws(ModuleError) -> BlockSorting? {
        if method == .lzma {
            try StreamFormat.lzma.reserveWindow(scan, for: object, stated: packed.load(UInt32.self, at: 1))
        }
        return method == .bzip2 ? try BlockSorting(scan) : nil
    }

    private func expand(
        _ packed: ByteView, _ work: BlockSorting?, into output: inout Output
    ) throws(ModuleError) -> InflateEnd {
        switch method {
        case .stored:
            _ = try output.append(packed)
            return .complete
        case .deflate: return try inflateNSIS(packed, into: &output).end
        case .lzma: return try expandLZMA(packed, mostWindow: .max, into: &output).end
        case .bzip2: return try work?.expand(packed, into: &output) ?? .damaged
        }
    }
}
