import BytesE
import CModuleABI
import Foundation
import Testing

@testable import Archives

/// Small files that real tools made (`tools/corpus containers --payload`): the payload must come out of each.
@Suite struct SampleTests {
    static let payload =
        ProcessInfo.processInfo.environment["ESETS_PAYLOAD"].flatMap { FileManager.default.contents(atPath: $0) }
        .map { [UInt8]($0) }
        ?? Array("A harmless text in place of something that is not. 0123456789 abc.\r\n".utf8)
    static let folder =
        ProcessInfo.processInfo.environment["ESETS_SAMPLES"].map { URL(fileURLWithPath: $0) }
        ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Samples")

    static var files: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter { !$0.hasSuffix(".json") }
            .sorted()
    }

    @Test(arguments: files) func payloadComesOut(file: String) throws {
        let bytes = try [UInt8](Data(contentsOf: Self.folder.appendingPathComponent(file)))
        #expect(Self.holdsPayload(bytes, name: Array(file.utf8)))
    }

    @Test func samplesAreThere() {
        #expect(Self.files.count > 60)
    }

    /// Whether the payload comes out, however deep it lies.
    private static func holdsPayload(_ bytes: [UInt8], name: [UInt8]) -> Bool {
        let host = TrialHost(memory: 64 << 20)
        host.walksDown = true
        _ = bytes.withUnsafeBufferPointer { data in
            name.withUnsafeBufferPointer { name in
                host.unpack(ByteView(data), name: ByteView(name), declared: ByteView(), depth: 0)
            }
        }
        return bytes == payload || host.children.contains { $0.data == payload }
    }
}
