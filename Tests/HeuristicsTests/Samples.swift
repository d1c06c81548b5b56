/// The smallest bytes that count as a PE file here; they do not run.
func portableExecutable() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 256)
    bytes[0] = 0x4d
    bytes[1] = 0x5a
    bytes[0x3c] = 0x80
    bytes.replaceSubrange(0x80..<0x88, with: [0x50, 0x45, 0, 0, 0x64, 0x86, 3, 0])
    return bytes
}

/// Stores a text as one compressed VBA container in which nothing is compressed but everything is flagged as literals.
func storedMacro(_ text: String) -> [UInt8] {
    var result: [UInt8] = [0x01]
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: 2048) {
        var chunk: [UInt8] = []
        let part = Array(bytes[start..<min(bytes.count, start + 2048)])
        for group in stride(from: 0, to: part.count, by: 8) {
            chunk.append(0)
            chunk.append(contentsOf: part[group..<min(part.count, group + 8)])
        }
        let header = UInt16(chunk.count - 1) | 0xb000
        result.append(UInt8(truncatingIfNeeded: header))
        result.append(UInt8(header >> 8))
        result.append(contentsOf: chunk)
    }
    return result
}

/// A compound file with 512-byte sectors: a storage "VBA" and the streams given, each at least `miniCutoff` long
/// (4096, so that none lies in the mini stream) by zeros at its end.
func compoundFile(_ streams: [(name: String, bytes: [UInt8])]) -> [UInt8] {
    func little(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) } }
    func entry(_ name: String, kind: UInt8, start: UInt32, size: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for unit in name.utf16 { bytes += [UInt8(truncatingIfNeeded: unit), UInt8(unit >> 8)] }
        let length = bytes.count + 2
        bytes += [UInt8](repeating: 0, count: 64 - bytes.count)
        bytes += [UInt8(length), 0, kind, 1] + [UInt8](repeating: 0xff, count: 12)
        bytes += [UInt8](repeating: 0, count: 36) + little(start) + little(UInt32(size)) + [0, 0, 0, 0]
        return bytes
    }
    let padded = streams.map { stream in
        (stream.name, stream.bytes + [UInt8](repeating: 0, count: max(0, 4096 - stream.bytes.count)))
    }
    // Sector 0 is the allocation table, then the directory, then the streams.
    let directorySectors = (128 * (padded.count + 2) + 511) / 512
    var directory = entry("Root Entry", kind: 5, start: 0xffff_fffe, size: 0) + entry("VBA", kind: 1, start: 0, size: 0)
    var table: [UInt32] = [0xffff_fffd]
    for index in 0..<directorySectors { table.append(index == directorySectors - 1 ? 0xffff_fffe : UInt32(2 + index)) }
    var content: [UInt8] = []
    for (name, bytes) in padded {
        let first = table.count
        let sectors = (bytes.count + 511) / 512
        directory += entry(name, kind: 2, start: UInt32(first), size: bytes.count)
        for index in 0..<sectors { table.append(index == sectors - 1 ? 0xffff_fffe : UInt32(first + index + 1)) }
        content += bytes + [UInt8](repeating: 0, count: sectors * 512 - bytes.count)
    }
    precondition(table.count <= 128)
    table += [UInt32](repeating: 0xffff_ffff, count: 128 - table.count)
    directory += [UInt8](repeating: 0, count: directorySectors * 512 - directory.count)
    var header: [UInt8] = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1] + [UInt8](repeating: 0, count: 16)
    header += [0x3e, 0, 3, 0, 0xfe, 0xff, 9, 0, 6, 0] + [UInt8](repeating: 0, count: 10)
    header += little(1) + little(1) + little(0) + little(4096)
    header += little(0xffff_fffe) + little(0) + little(0xffff_fffe) + little(0) + little(0)
    header += [UInt8](repeating: 0xff, count: 512 - header.count)
    return header + table.flatMap(little) + directory + content
}
