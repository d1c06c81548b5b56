import Bytes
import Testing

@testable import CVD

@Suite("Containers of signatures")
struct CVDTests {
    @Test func headerFields() throws {
        let text: StaticString = "ClamAV-VDB:22 Feb 2023 16-33 -0500:334:91:90:X:X:builder:1677101601   "
        let header = try CVDHeader(ByteView(text))
        #expect(header.version == 334 && header.signatures == 91 && header.level == 90)
        #expect(header.digest == nil && header.signature.isEmpty)
        #expect(header.builder == "builder" && header.created == 1_677_101_601)
    }
}
