import BytesE
import CModuleABI
import CStreams
import Libarchive
import ModuleKit
import Passwords
import Streams
import Unpacking

/// Unpacks a folder of a 7z archive coder by coder, also those that libarchive lacks, or knows only in other company.
struct SevenZipCoders {
    let scan: ScanContext
    let object: UnsafePointer<em_object>
    let folder: SevenZipStreams.Folder
    /// The packed streams, in the folder's order.
    let packed: [ByteView]
    /// Keys for what is encrypted; nil when nothing may be.
    var keys: SevenZipKeys?
    /// No larger one is given to LZMA.
    private static let largestWindow: UInt32 = 1 << 26
    /// What the coders made so far, by the number of their output.
    private var made: [ByteView?] = []

    init(
        _ scan: ScanContext, _ object: UnsafePointer<em_object>, _ folder: SevenZipStreams.Folder, _ packed: [ByteView]
    ) {
        self.scan = scan
        self.object = object
        self.folder = folder
        self.packed = packed
        made = [ByteView?](repeating: nil, count: folder.coders.count)
    }

    /// The folders that are to be unpacked here: those that libarchive does not read, and those that it makes mistakes with when
    /// there is room for what each of their coders makes, for the archive that is made of it, and for its files.
    static func unpacked(
        _ folders: [SevenZipStreams.Folder], _ scan: ScanContext, _ object: UnsafePointer<em_object>
    ) -> [Bool] {
        var size: UInt64 = 0
        for folder in folders where folder.isMisreadByLibarchive {
            size = size.addingReportingOverflow(folder.largest).overflow ? .max : size + folder.largest
        }
        let left = scan.left(EM_BUDGET_MEMORY, for: object)
        let hasRoom = size < (left - min(left, 1 << 18)) / 6
        return folders.map { $0.isMisreadByLibarchive ? hasRoom : !$0.isReadByLibarchive }
    }

    /// What a folder of several coders holds, in the arena; nil when a coder is unknown or there is damage.
    mutating func content() throws(ModuleError) -> ByteView? {
        guard packed.count == folder.packed.count, folder.sizes.count == folder.coders.count,
            folder.coders.allSatisfy({ $0.outputs == 1 }),
            let last = folder.coders.indices.first(where: { output in
                !folder.bonds.contains { $0.output == output }
            })
        else { return nil }
        return try value(last, depth: 0)
    }

    /// What a coder makes. Each is asked once; a ring of coders ends at the depth.
    private mutating func value(_ number: Int, depth: Int) throws(ModuleError) -> ByteView? {
        guard depth <= folder.coders.count else { return nil }
        if let known = made[number] { return known }
        let coder = folder.coders[number]
        let first = folder.coders[..<number].reduce(0) { $0 + $1.inputs }
        var inputs: [ByteView] = []
        for input in first..<(first + coder.inputs) {
            if let bond = folder.bonds.first(where: { $0.input == input }) {
                guard let bytes = try value(bond.output, depth: depth + 1) else { return nil }
                inputs.append(bytes)
            } else if let place = folder.packed.firstIndex(of: input) {
                inputs.append(packed[place])
            } else {
                return nil
            }
        }
        let result = try decode(coder, inputs, size: folder.sizes[number])
        made[number] = result
        return result
    }

    private func decode(
        _ coder: SevenZipStreams.Coder, _ inputs: [ByteView], size: UInt64
    ) throws(ModuleError) -> ByteView? {
        guard let input = inputs.first else { return nil }
        let method = SevenZipMethod(coder.id)
        if method == .bcj2 {
            guard inputs.count == 4 else { return nil }
            var output = try Output(scan, in: object, expected: Int(clamping: size))
            var merger = BranchMerger(code: inputs[0], calls: inputs[1], jumps: inputs[2], choices: inputs[3])
            _ = try merger.run(size, into: &output)
            return output.stoppedBy == 0 ? try output.finish() : nil
        }
        guard inputs.count == 1 else { return nil }
        // Streams of BCJ2 may hold nothing.
        if size == 0 { return ByteView() }
        switch method {
        case .copy: return input.prefix(Int(clamping: size))
        case .aes:
            guard let cipher = SevenZipCipher(coder.properties), let key = try keys?.key(cipher) else { return nil }
            var output = try Output(scan, in: object, expected: input.count)
            guard try cipher.decrypt(input, key, size: size, into: &output) else { return nil }
            return try output.finish()
        case .zstandard, .lz4, .brotli: return try expanded(input, by: method, size: size)
        case .deflate64, .deflate, .bzip2:
            var output = try Output(scan, in: object, expected: Int(clamping: size))
            switch method {
            case .deflate64: _ = try inflate64(input, into: &output)
            case .deflate: _ = try inflateRaw(input, into: &output)
            default: _ = try expand(input, by: .bzip2, into: &output)
            }
            return output.count > 0 ? try output.finish() : nil
        case .lzma:
            guard coder.properties.count == 5, let window = coder.properties.load(UInt32.self, at: 1) else {
                return nil
            }
            var output = try Output(scan, in: object, expected: Int(clamping: size))
            _ = try expandLZMA(
                input, properties: coder.properties[0], window: min(window, Self.largestWindow),
                most: Int(clamping: size), into: &output)
            return output.count > 0 && output.stoppedBy == 0 ? try output.finish() : nil
        case .lzma2, .ppmd:
            var alone = SevenZipStreams.Folder()
            alone.coders = [coder]
            alone.packed = [0]
            alone.sizes = [size]
            return try unpacked(alone, [input])
        case .filter(let number): return try unfiltered(number, coder, input)
        case .arm64, .riscv, .swap2, .swap4: return try converted(method, coder, input)
        case .bcj2, .unknown: return nil
        }
    }

    // MARK: By libarchive

    /// What an archive of this folder alone holds.
    private func unpacked(_ folder: SevenZipStreams.Folder, _ packed: [ByteView]) throws(ModuleError) -> ByteView? {
        var archive = try Output(scan, in: object, expected: packed.reduce(256) { $0 + $1.count })
        guard try archive.append(0, count: SevenZipWriter.startSize) else { return nil }
        for stream in packed { guard try archive.append(stream) else { return nil } }
        var header = SevenZipWriter()
        header.streams([folder], packed.map { UInt64($0.count) })
        // One file in the folder, the end of the streams, and that file's name of one letter.
        for byte: UInt8 in [8, 0, 0, 5, 1, 0x11, 5, 0, 0x78, 0, 0, 0, 0, 0] { header.byte(byte) }
        guard try archive.append(header.bytes) else { return nil }
        let bytes = try archive.finish()
        header.start(of: bytes)
        try LibarchiveSupport.sevenZip.reserveWindow(scan, for: object)
        guard let reader = LibarchiveReader(scan, bytes, .sevenZip), try reader.next().outcome == .ready else {
            return nil
        }
        var output = try Output(scan, in: object, expected: Int(clamping: folder.sizes.last ?? 0))
        while let room = try output.room() {
            let (outcome, count) = try reader.read(into: room)
            guard outcome == .ready else { break }
            output.advance(count)
        }
        return output.count > 0 && output.stoppedBy == 0 ? try output.finish() : nil
    }

    // MARK: By liblzma

    private func unfiltered(
        _ filter: UInt32, _ coder: SevenZipStreams.Coder, _ input: ByteView
    ) throws(ModuleError) -> ByteView? {
        var output = try Output(scan, in: object, expected: input.count)
        guard try output.append(0, count: input.count) else { return nil }
        let plain = try output.finish()
        guard let from = input.buffer.baseAddress, let to = plain.buffer.baseAddress else { return plain }
        let isDone = CStreams_unfilter(
            filter, coder.properties.buffer.baseAddress, coder.properties.count, from, input.count,
            UnsafeMutablePointer(mutating: to))
        return isDone != 0 ? plain : nil
    }

    // MARK: Own filters

    private func converted(
        _ method: SevenZipMethod, _ coder: SevenZipStreams.Coder, _ input: ByteView
    ) throws(ModuleError) -> ByteView? {
        var output = try Output(scan, in: object, expected: input.count)
        guard try output.append(input) else { return nil }
        let copy = try output.finish()
        guard let base = copy.buffer.baseAddress else { return nil }
        let bytes = UnsafeMutablePointer(mutating: base)
        switch method {
        case .swap2, .swap4:
            let width = method == .swap2 ? 2 : 4
            for start in stride(from: 0, to: copy.count - width + 1, by: width) {
                for index in 0..<(width / 2) {
                    (bytes[start + index], bytes[start + width - 1 - index]) = (
                        bytes[start + width - 1 - index], bytes[start + index]
                    )
                }
            }
        case .riscv:
            unfilterRISCV(
                UnsafeMutableBufferPointer(start: bytes, count: copy.count),
                start: coder.properties.load(UInt32.self, at: 0) ?? 0)
        default:
            let start = coder.properties.load(UInt32.self, at: 0) ?? 0
            for place in stride(from: 0, to: copy.count - 3, by: 4) {
                guard let word = copy.load(UInt32.self, at: place),
                    let plain = Self.arm64(word, at: start &+ UInt32(truncatingIfNeeded: place))
                else { continue }
                for index in 0..<4 { bytes[place + index] = UInt8(truncatingIfNeeded: plain >> UInt32(8 * index)) }
            }
        }
        return copy
    }

    /// An instruction of ARM64 with its target relative again; nil when it has none. Calls (BL) have a distance of 26 bits
    /// in words; ADRP one in pages, of which only those within 512 MiB were converted.
    private static func arm64(_ word: UInt32, at place: UInt32) -> UInt32? {
        if word >> 26 == 0x25 { return 0x9400_0000 | (word &- place >> 2) & 0x03ff_ffff }
        guard word & 0x9f00_0000 == 0x9000_0000 else { return nil }
        let target = word >> 29 & 3 | word >> 3 & 0x1f_fffc
        guard (target &+ 0x2_0000) & 0x1c_0000 == 0 else { return nil }
        let page = target &- place >> 12
        var plain = word & 0x9000_001f | (page & 3) << 29 | (page & 0x3_fffc) << 3
        if page & 0x2_0000 != 0 { plain |= 0x00e0_0000 }
        return plain
    }
}

/// The coders of 7z, by their numbers (Methods.txt of the 7-Zip sources).
enum SevenZipMethod: Equatable {
    case copy, lzma, lzma2, ppmd, bzip2, deflate, deflate64, zstandard, lz4, brotli, aes, bcj2, arm64, riscv, swap2,
        swap4
    /// One of liblzma, by its number there.
    case filter(UInt32)
    case unknown

    init(_ id: ByteView) {
        var number: UInt64 = id.count <= 8 ? 0 : .max
        if number == 0 { for byte in id.buffer { number = number << 8 | UInt64(byte) } }
        self =
            switch number {
            case 0: .copy
            case 0x21: .lzma2
            case 0x030101: .lzma
            case 0x030401: .ppmd
            case 0x040202: .bzip2
            case 0x040108: .deflate
            case 0x040109: .deflate64
            case 0x04f7_1101: .zstandard
            case 0x04f7_1102: .brotli
            case 0x04f7_1104: .lz4
            case 0x06f1_0701: .aes
            case 0x0303_011b: .bcj2
            case 0x0a: .arm64
            case 0x0b: .riscv
            case 0x020302: .swap2
            case 0x020304: .swap4
            // Delta; x86, PowerPC, IA-64, ARM, Thumb, SPARC.
            case 3: .filter(3)
            case 0x0303_0103: .filter(4)
            case 0x0303_0205: .filter(5)
            case 0x0303_0401: .filter(6)
            case 0x0303_0501: .filter(7)
            case 0x0303_0701: .filter(8)
            case 0x0303_0805: .filter(9)
            default: .unknown
            }
    }
}

extension SevenZipStreams.Folder {
    /// The folder with its content unpacked.
    func stored(_ content: ByteView) -> SevenZipStreams.Folder {
        var result = SevenZipStreams.Folder()
        result.coders = [.init(id: ByteView("\0"), properties: ByteView())]
        result.packed = [0]
        result.sizes = [UInt64(content.count)]
        result.crc32 = crc32
        return result
    }

    /// The coder that an input belongs to: inputs are counted through all coders.
    func coder(of input: Int) -> Int? {
        var first = 0
        for (number, coder) in coders.enumerated() {
            if input >= first, input < first + coder.inputs { return number }
            first += coder.inputs
        }
        return nil
    }

    var isEncrypted: Bool { coders.contains { SevenZipMethod($0.id) == .aes } }

    /// Whether libarchive makes mistakes with it: what it has of its own for x86 (also BCJ2), and IA-64 over LZMA. Over LZMA2 it
    /// leaves filters to liblzma.
    var isMisreadByLibarchive: Bool {
        guard isReadByLibarchive, coders.count > 1 else { return false }
        let base = SevenZipMethod(coders[0].id)
        let filter = SevenZipMethod(coders[1].id)
        return coders.count == 4 || base != .lzma2 && (filter == .filter(4) || filter == .filter(6))
    }

    /// The largest of what its coders make.
    var largest: UInt64 { sizes.max() ?? 0 }

    /// Whether libarchive reads it: of 3.6, as measured with what 7-Zip writes.
    var isReadByLibarchive: Bool {
        let methods = coders.map { SevenZipMethod($0.id) }
        guard let base = methods.first else { return false }
        switch (base, methods.count) {
        case (.copy, 1), (.lzma, 1), (.lzma2, 1), (.ppmd, 1), (.bzip2, 1), (.deflate, 1): return true
        case (.lzma, 2), (.lzma2, 2), (.copy, 2), (.bzip2, 2), (.deflate, 2):
            guard case .filter(let number) = methods[1], packed == [0] else { return false }
            return number == 4 || base == .lzma2 || base == .lzma && number != 8
        default: return methods.count == 4 && methods[3] == .bcj2 && !methods.contains(.unknown) && !isEncrypted
        }
    }
}
