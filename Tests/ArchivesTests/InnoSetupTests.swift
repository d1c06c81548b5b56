import BytesE
import CModuleABI
import Foundation
import Testing

@testable import Archives

/// The signs are made by `tools/fuzz-seeds`.
@Suite struct InnoSetupTests {
    private func flags(_ name: String) throws -> UInt32 {
        let file = ReplayTests.corpora.appendingPathComponent("formats/inno/" + name)
        return unpacked([UInt8](try Data(contentsOf: file))).host.flags
    }

    @Test(arguments: ["resource", "resource-variant", "header", "data", "slice"]) func isTold(name: String) throws {
        #expect(try flags(name) & EM_OBJECT_UNSUPPORTED != 0)
    }

    @Test(arguments: ["resource-other", "header-other"]) func isNone(name: String) throws {
        #expect(try flags(name) & EM_OBJECT_UNSUPPORTED == 0)
    }
}
