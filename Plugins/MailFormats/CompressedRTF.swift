package import BytesE
package import ModuleKit
package import Unpacking

/// Expands compressed RTF (MS-OXRTFCP): a window of 4,096 bytes that begins with common words of RTF.
///
/// Damage ends it; what came out until then is there.
package func expandCompressedRTF(_ data: ByteView, into output: inout Output) throws(ModuleError) {
    guard let kind = data.load(UInt32.self, at: 8) else { return }
    // "MELA": not compressed.
    if kind == 0x414c_454d {
        _ = try output.append(data.dropFirst(16))
        return
    }
    guard kind == 0x7546_5a4c else { return }
    var window = [UInt8](repeating: 0x20, count: 4096)
    let words = ByteView(initialWords)
    for index in 0..<words.count { window[index] = words[index] }
    var write = words.count
    var read = 16
    while read < data.count {
        try output.check()
        let flags = data[read]
        read += 1
        for bit in 0..<8 {
            guard read < data.count else { return }
            if flags >> bit & 1 == 0 {
                window[write] = data[read]
                guard try output.append(data[read]) else { return }
                write = (write + 1) & 4095
                read += 1
                continue
            }
            guard let reference = data.loadBigEndian(UInt16.self, at: read) else { return }
            read += 2
            var from = Int(reference >> 4)
            // A reference to where the writing stands is the end.
            if from == write { return }
            for _ in 0..<(Int(reference & 15) + 2) {
                let byte = window[from]
                guard try output.append(byte) else { return }
                window[write] = byte
                write = (write + 1) & 4095
                from = (from + 1) & 4095
            }
        }
    }
}

/// MS-OXRTFCP 2.1.3.1.1: 207 bytes.
private let initialWords: StaticString =
    "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
