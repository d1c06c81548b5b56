import BytesE
import CModuleABI
import Testing

@testable import Archives

/// Archives in volumes that came as attachments of one message.
@Suite struct VolumeTests {
    private func message(_ attachments: [(name: String, data: [UInt8])]) -> [UInt8] {
        var text = lines("From: a@example.com", "Content-Type: multipart/mixed; boundary=b", "", "")
        for (name, data) in attachments {
            text += lines(
                "--b", "Content-Type: application/x; name=\"\(name)\"", "Content-Transfer-Encoding: binary", "", "")
            text += data + lines("", "")
        }
        return text + lines("--b--", "")
    }

    private func opened(_ attachments: [(name: String, data: [UInt8])]) -> TrialHost {
        let host = TrialHost(memory: 4 << 20)
        host.walksDown = true
        _ = message(attachments).withUnsafeBufferPointer { host.unpack(ByteView($0)) }
        return host
    }

    private var zip: [UInt8] {
        var builder = ZIPBuilder()
        builder.add("a.txt", "in volumes of an archive")
        return builder.finished()
    }

    @Test func piecesInAnyOrder() {
        let host = opened([
            ("A.ZIP.002", Array(zip[50..<90])), ("a.zip.001", Array(zip[..<50])), ("a.zip.003", Array(zip[90...])),
        ])
        #expect(host.texts.contains("in volumes of an archive"))
        #expect(host.children.contains { $0.data == zip })
        #expect(host.names.contains("a.zip"))
    }

    @Test func spannedZIP() {
        let host = opened([("a.z01", Array(zip[..<40])), ("a.zip", Array(zip[40...]))])
        #expect(host.texts.contains("in volumes of an archive"))
    }

    @Test func oneVolumeIsOfferedAsItIs() {
        let host = opened([("a.z01", Array(zip[..<40])), ("b.002", [1, 2, 3]), ("c.txt", Array("other".utf8))])
        // Of the archive's beginning what it holds, too.
        #expect(host.children.map { $0.data.count }.sorted() == [3, 5, 5, 40])
    }

    /// What is called like a volume, and is whole by itself, is opened by itself.
    @Test func nothingHidesBehindAName() {
        let host = opened([("a.001", Array("junk".utf8)), ("a.002", zip)])
        #expect(host.texts.filter { $0 == "in volumes of an archive" }.count >= 1)
    }

    // MARK: RAR

    private let content = "a file that is longer than one volume of the archive has room for"

    private func oldVolume(_ part: Range<Int>, of name: String, isFirst: Bool, isLast: Bool) -> [UInt8] {
        let data = Array(content.utf8)
        let piece = Array(data[part])
        let flags = (isFirst ? 0 : 1) | (isLast ? 0 : 2)
        let file = OldRARTests.file(name, data.count, crc(isLast ? data : piece), piece.count, flags: flags)
        return OldRARTests.signature + OldRARTests.header(0x73, 0x11, [0, 0, 0, 0, 0, 0]) + file + piece
            + OldRARTests.header(0x7B, isLast ? 0x4000 : 0x4001, [])
    }

    @Test func volumesOfRAR3() {
        let all = [
            oldVolume(0..<20, of: "a.exe", isFirst: true, isLast: false),
            oldVolume(20..<41, of: "a.exe", isFirst: false, isLast: false),
            oldVolume(41..<content.utf8.count, of: "a.exe", isFirst: false, isLast: true),
        ]
        for names in [["x.part1.rar", "x.part2.rar", "x.part3.rar"], ["x.rar", "x.r00", "x.r01"]] {
            let host = opened(Array(Swift.zip(names, all).map { (name: $0, data: $1) }.reversed()))
            #expect(host.texts.contains(content), "\(names)")
            #expect(host.names.contains("a.exe"))
        }
    }

    private func number(_ value: Int) -> [UInt8] {
        value < 128 ? [UInt8(value)] : [UInt8(value & 0x7F | 0x80)] + number(value >> 7)
    }

    private func header(_ fields: [UInt8]) -> [UInt8] {
        let sized = number(fields.count) + fields
        return little(crc(sized), 4) + sized
    }

    private func volume(_ part: Range<Int>, isFirst: Bool, isLast: Bool) -> [UInt8] {
        let piece = Array(Array(content.utf8)[part])
        let flags = 2 | (isFirst ? 0 : 8) | (isLast ? 0 : 16)
        let file =
            number(2) + number(flags) + number(piece.count) + number(0) + number(content.utf8.count) + number(0)
            + number(0) + number(1) + number(5) + Array("a.exe".utf8)
        let main = isFirst ? header([1, 0, 1]) : header([1, 0, 3, 1])
        return [0x52, 0x61, 0x72, 0x21, 0x1A, 7, 1, 0] + main + header(file) + piece + header([5, 0, isLast ? 0 : 1])
    }

    @Test func volumesOfRAR5() {
        let all = [
            volume(0..<30, isFirst: true, isLast: false), volume(30..<content.utf8.count, isFirst: false, isLast: true),
        ]
        let host = opened([("y.part01.rar", all[0]), ("y.part02.rar", all[1])])
        #expect(host.texts.contains(content))
        // The volumes themselves are opened as a whole, and not told as broken.
        #expect(host.flags & EM_OBJECT_UNSUPPORTED == 0)
        // A program with the first volume behind it.
        let behind = [UInt8](repeating: 0x4D, count: 100) + all[0]
        #expect(opened([("y.part1.exe", behind), ("y.part2.rar", all[1])]).texts.contains(content))
    }

    @Test func names() {
        func read(_ name: String) -> String {
            guard let name = VolumeName(Array(name.utf8)) else { return "-" }
            return "\(name.kind) \(text(name.base)) \(name.number == .max ? "last" : "\(name.number)")"
        }
        #expect(read("A.7z.001") == "pieces a.7z 1")
        #expect(read("a.z01") == "zip a 1")
        #expect(read("a.zip") == "zip a last")
        #expect(read("a.b.part007.rar") == "rar a.b 7")
        #expect(read("a.rar") == "rar a 0")
        #expect(read("a.r00") == "rar a 1")
        #expect(read("a.s01") == "rar a 102")
        #expect(read("a.part1.exe") == "rar a 1")
        for other in ["a.exe", "a.txt", "a", "", ".", "a.", "a.1", "a.zab", "a.r0"] { #expect(read(other) == "-") }
    }
}
