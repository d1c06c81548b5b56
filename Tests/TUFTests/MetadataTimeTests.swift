import TUF
import Testing

@Suite("Times in metadata")
struct MetadataTimeTests {
    @Test(
        "come back as they were",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2000-02-29T12:00:00Z", 951_825_600), ("2026-11-21T17:30:00Z", 1_795_282_200),
            ("9999-12-31T23:59:59Z", 253_402_300_799), ("1969-12-31T23:59:59Z", -1),
            ("0001-01-01T00:00:00Z", -62_135_596_800),
        ] as [(String, Int64)])
    func roundTrip(text: String, seconds: Int64) {
        #expect(MetadataTime.seconds(text) == seconds)
        #expect(MetadataTime.text(seconds) == text)
    }

    @Test(
        "of any other form are none",
        arguments: [
            "", "2026-11-21", "2026-11-21T17:30:00", "2026-11-21T17:30:00+01:00", "2026-11-21T17:30:00.5Z",
            "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-11-31T00:00:00Z", "2026-00-10T00:00:00Z",
            "2026-11-00T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T23:60:00Z", "2026-11-21T23:59:60Z",
            "+026-11-21T17:30:00Z", "2026-11-21t17:30:00z",
        ])
    func refused(text: String) {
        #expect(MetadataTime.seconds(text) == nil)
    }
}
