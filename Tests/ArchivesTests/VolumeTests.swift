import BytesE
import CModuleABI
import Foundation
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

    // MARK: ARJ

    /// A header of ARJ with its checksum: of the archive itself (2) or of a file (0).
    private func arjHeader(_ name: String, kind: UInt8, flags: UInt8, size: Int = 0) -> [UInt8] {
        var head: [UInt8] = [30, 11, 1, 2, flags, 0, kind, 0, 0, 0, 0, 0]
        head += little(size, 4) + little(size, 4) + [UInt8](repeating: 0, count: 10)
        head += Array(name.utf8) + [0, 0]
        return [0x60, 0xEA] + little(head.count, 2) + head + little(crc(head), 4) + [0, 0]
    }

    private func arjVolume(_ files: [(name: String, flags: UInt8, data: String)], goesOn: Bool) -> [UInt8] {
        var bytes = arjHeader("x.arj", kind: 2, flags: goesOn ? 0x14 : 0x10)
        for file in files {
            bytes +=
                arjHeader(file.name, kind: 0, flags: file.flags, size: file.data.utf8.count) + Array(file.data.utf8)
        }
        return bytes + [0x60, 0xEA, 0, 0]
    }

    @Test func volumesOfARJ() {
        let all = [
            arjVolume([("a.txt", 0, "whole"), ("b.txt", 4, "in three")], goesOn: true),
            arjVolume([("b.txt", 0x0C, " pieces,")], goesOn: true),
            arjVolume([("b.txt", 8, " all of it"), ("c.txt", 0, "last")], goesOn: false),
        ]
        let host = opened([("x.a02", all[2]), ("x.arj", all[0]), ("x.a01", all[1])])
        #expect(host.texts.contains("in three pieces, all of it"))
        #expect(host.texts.filter { $0 == "whole" || $0 == "last" }.count == 2)
        #expect(host.children.allSatisfy { $0.flags & EM_OBJECT_TRUNCATED == 0 })
        // Without the second, what there is; it is told that something is missing.
        let parted = opened([("x.arj", all[0]), ("x.a02", all[2])])
        #expect(parted.texts.contains("in three all of it") || parted.texts.contains("in three"))
        #expect(opened([("x.arj", all[0])]).children.contains { $0.flags & EM_OBJECT_TRUNCATED != 0 })
        // Files of other names are not put together.
        let others = opened([
            ("x.arj", arjVolume([("b.txt", 4, "one")], goesOn: true)),
            ("x.a01", arjVolume([("d.txt", 8, "two")], goesOn: false)),
        ])
        #expect(others.texts.contains("one"))
        #expect(others.texts.contains("two"))
    }

    // MARK: Cabinets

    /// A cabinet of one stored folder; `folder` as its files say.
    private func cabinet(
        _ number: Int, flags: Int, set: Int = 7, folder: Int, blocks: [(data: String, size: Int)],
        file: String = "a.txt", size: Int? = nil
    ) -> [UInt8] {
        let names = [UInt8](repeating: 0, count: 2 * (flags & 1 + flags >> 1 & 1))
        let entry =
            little(size ?? content.utf8.count, 4) + little(0, 4) + little(folder, 2) + little(0, 6) + Array(file.utf8)
            + [0]
        let start = 36 + names.count + 8
        var body: [UInt8] = []
        for block in blocks {
            body += little(0, 4) + little(block.data.utf8.count, 2) + little(block.size, 2) + Array(block.data.utf8)
        }
        let whole = start + entry.count + body.count
        return Array("MSCF".utf8) + little(0, 4) + little(whole, 8) + little(start, 8) + [3, 1] + little(1, 2)
            + little(1, 2) + little(flags, 2) + little(set, 2) + little(number, 2) + names
            + little(start + entry.count, 4) + little(blocks.count, 2) + little(0, 2) + entry + body
    }

    private func third(_ number: Int) -> String { String(content.dropFirst(22 * number).prefix(number == 2 ? 99 : 22)) }

    @Test func volumesOfCabinets() {
        let all = [
            cabinet(0, flags: 2, folder: 0xFFFE, blocks: [(third(0), 0)]),
            cabinet(1, flags: 3, folder: 0xFFFF, blocks: [(third(1), 0)]),
            cabinet(2, flags: 1, folder: 0xFFFD, blocks: [(third(2), content.utf8.count)]),
        ]
        let host = opened([("third.cab", all[2]), ("first.cab", all[0]), ("second.cab", all[1])])
        #expect(host.texts.filter { $0 == content }.count == 1)
        #expect(host.flags & (EM_OBJECT_UNSUPPORTED | EM_OBJECT_MALFORMED | EM_OBJECT_TRUNCATED) == 0)
        // Each is opened by itself when the one between is missing, or of another set.
        #expect(!opened([("a.cab", all[0]), ("b.cab", all[2])]).texts.contains(content))
        let other = cabinet(1, flags: 3, set: 8, folder: 0xFFFF, blocks: [(third(1), 0)])
        let mixed = opened([("a.cab", all[0]), ("b.cab", other), ("c.cab", all[2])])
        #expect(mixed.children.count >= 3)
        #expect(!mixed.texts.contains(content))
    }

    /// A whole cabinet beside those that go on in each other is opened by itself.
    @Test func wholeCabinetBesideVolumes() {
        let whole = cabinet(0, flags: 0, set: 9, folder: 0, blocks: [("of its own", 10)], file: "b.txt", size: 10)
        let host = opened([
            ("a.cab", cabinet(0, flags: 2, folder: 0xFFFE, blocks: [(third(0), 0)])), ("b.cab", whole),
            ("c.cab", cabinet(1, flags: 1, folder: 0xFFFD, blocks: [(third(1) + third(2), content.utf8.count)])),
        ])
        #expect(host.texts.contains(content))
        #expect(host.texts.contains { $0.hasPrefix("of its own") })
    }

    /// Without room for all of them, each is opened by itself, and it is told why.
    @Test func volumesWithoutRoom() {
        let all = [
            arjVolume([("a.txt", 0, "whole"), ("b.txt", 4, String(repeating: "x", count: 150_000))], goesOn: true),
            arjVolume([("b.txt", 8, "rest")], goesOn: false),
        ]
        var text = lines("From: a@example.com", "Content-Type: multipart/mixed; boundary=b", "", "")
        for (name, data) in Swift.zip(["x.arj", "x.a01"], all) {
            text += lines(
                "--b", "Content-Type: application/x; name=\"\(name)\"", "Content-Transfer-Encoding: base64", "", "")
            text += Array(Data(data).base64EncodedData()) + lines("", "")
        }
        text += lines("--b--", "")
        for memory in [130_000, 1 << 20] {
            let host = TrialHost(memory: memory)
            _ = text.withUnsafeBufferPointer { host.unpack(ByteView($0)) }
            #expect(host.exceeded.contains(EM_BUDGET_MEMORY) == (memory < 1 << 20), "\(memory)")
            #expect(host.children.count == (memory < 1 << 20 ? 2 : 3), "\(memory)")
        }
    }

    @Test func damagedVolumes() {
        let cabinets = [
            cabinet(0, flags: 2, folder: 0xFFFE, blocks: [(third(0), 0)]),
            cabinet(1, flags: 1, folder: 0xFFFD, blocks: [(third(1) + third(2), content.utf8.count)]),
        ]
        let arj = [
            arjVolume([("b.txt", 4, "in two")], goesOn: true), arjVolume([("b.txt", 8, " pieces")], goesOn: false),
        ]
        for (set, names) in [(cabinets, ["a.cab", "b.cab"]), (arj, ["a.arj", "a.a01"])] {
            for index in set[0].indices {
                var first = set[0]
                first[index] ^= 0xFF
                _ = opened([(names[0], first), (names[1], set[1])])
                _ = opened([(names[0], Array(set[0].prefix(index))), (names[1], set[1])])
            }
        }
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
        #expect(read("A.ARJ") == "arj a 0")
        #expect(read("a.a09") == "arj a 9")
        #expect(read("a.b01") == "arj a 101")
        // Cabinets say themselves which of them belong together.
        #expect(read("b.cab") == "cabinet  0")
        for other in ["a.exe", "a.txt", "a", "", ".", "a.", "a.1", "a.zab", "a.r0"] { #expect(read(other) == "-") }
    }
}
