import Archives
import BytesE
import CModuleABI

/// Lines with CR LF.
func lines(_ text: String...) -> [UInt8] { Array(text.joined(separator: "\r\n").utf8) }

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

/// Opens bytes with em003; the host that took what came out.
func unpacked(_ bytes: [UInt8], _ host: TrialHost = TrialHost(memory: 4 << 20)) -> (host: TrialHost, status: em_status)
{
    let status = bytes.withUnsafeBufferPointer { host.unpack(ByteView($0)) }
    return (host, status)
}

extension TrialHost {
    var texts: [String] { children.map { text($0.data) } }
    var names: [String] { children.map { text($0.name) } }
}

func little(_ value: Int, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }

/// A deflate stream of one stored block (RFC 1951 §3.2.4).
func deflated(_ data: [UInt8]) -> [UInt8] {
    [1] + little(data.count, 2) + little(~data.count & 0xFFFF, 2) + data
}

/// Makes ZIP archives, right and wrong ones.
struct ZIPBuilder {
    var bytes: [UInt8] = []
    private var directory: [UInt8] = []
    private var count = 0

    /// What a header says.
    struct Header {
        var name: [UInt8]
        var method = 0
        var flags = 0
        var packed: Int
        var size: Int
        var extra: [UInt8] = []
    }

    private func fields(_ header: Header) -> [UInt8] {
        little(20, 2) + little(header.flags, 2) + little(header.method, 2) + [0, 0, 0, 0] + [0, 0, 0, 0]
            + little(header.packed, 4) + little(header.size, 4) + little(header.name.count, 2)
            + little(header.extra.count, 2)
    }

    mutating func local(_ header: Header, _ data: [UInt8]) -> Int {
        let offset = bytes.count
        bytes += [0x50, 0x4B, 3, 4] + fields(header) + header.name + header.extra + data
        return offset
    }

    mutating func central(_ header: Header, at offset: Int) {
        count += 1
        directory += [0x50, 0x4B, 1, 2, 20, 0] + fields(header) + [0, 0, 0, 0, 0, 0, 0, 0, 0, 0] + little(offset, 4)
        directory += header.name + header.extra
    }

    /// An entry that both views have.
    mutating func add(_ name: String, _ text: String, method: Int = 0, flags: Int = 0) {
        let data = method == 8 ? deflated(Array(text.utf8)) : Array(text.utf8)
        let header = Header(
            name: Array(name.utf8), method: method, flags: flags, packed: data.count, size: text.utf8.count)
        central(header, at: local(header, data))
    }

    /// The archive with its directory.
    func finished(prefix: [UInt8] = []) -> [UInt8] {
        prefix + bytes + directory + [0x50, 0x4B, 5, 6, 0, 0, 0, 0] + little(count, 2) + little(count, 2)
            + little(directory.count, 4) + little(bytes.count, 4) + [0, 0]
    }
}

/// A deflate stream of many zeros: a literal, then matches of 258 bytes (RFC 1951 §3.2.6), 8 of them in 13 bytes.
/// It has no end.
func zeros(_ count: Int) -> [UInt8] {
    var bits: [UInt8] = [1, 1, 0]
    bits += [0, 0, 1, 1, 0, 0, 0, 0]
    for _ in 0..<24 { bits += [1, 1, 0, 0, 0, 1, 0, 1] + [0, 0, 0, 0, 0] }
    var packed: [UInt8] = []
    for start in stride(from: 0, to: bits.count - 8, by: 8) {
        packed.append((0..<8).reduce(0) { $0 | bits[start + $1] << UInt8($1) })
    }
    var period = Array(packed[2..<15])
    while period.count / 13 * 2064 < count { period += period }
    return Array(packed[..<2]) + period
}

/// A header block of tar with its checksum.
func tarBlock(_ name: String, size: Int, type: Character = "0", magic: String = "ustar\u{0}00") -> [UInt8] {
    var block = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, _ offset: Int) {
        block.replaceSubrange(offset..<(offset + text.utf8.count), with: text.utf8)
    }
    let octal = String(size, radix: 8)
    put(name, 0)
    put(String(repeating: "0", count: 11 - octal.count) + octal, 124)
    put("        ", 148)
    put(String(type), 156)
    put(magic, 257)
    let sum = String(block.reduce(0) { $0 + Int($1) }, radix: 8)
    put(String(repeating: "0", count: 6 - sum.count) + sum + "\u{0}", 148)
    return block
}

func tarEntry(_ name: String, _ data: String, type: Character = "0", magic: String = "ustar\u{0}00") -> [UInt8] {
    let bytes = Array(data.utf8)
    return tarBlock(name, size: bytes.count, type: type, magic: magic) + bytes
        + [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
}
