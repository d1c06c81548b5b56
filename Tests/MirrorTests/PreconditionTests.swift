import Bytes
import Testing

@testable import Mirror

@Suite struct PreconditionTests {
    private static let tag = EntityTag(isWeak: false, opaque: Array("5f-64".utf8))
    private static let weak = EntityTag(isWeak: true, opaque: Array("5f-64".utf8))
    private static let date = "Sun, 06 Nov 1994 08:49:37 GMT"
    private static let before = "Sun, 06 Nov 1994 08:49:36 GMT"
    private static let modified: Int64 = 784_111_777

    /// Evaluates fields, given by name.
    private func outcome(_ tag: EntityTag, _ fields: [String: String]) -> Preconditions.Outcome {
        // The texts live as long as this call.
        let names = fields.keys.sorted()
        let texts = names.map { Array((fields[$0] ?? "").utf8) }
        let joined = texts.flatMap(\.self)
        return joined.withUnsafeBufferPointer { buffer in
            let all = ByteView(buffer)
            var conditions = Preconditions()
            var begin = 0
            for (name, text) in zip(names, texts) {
                let field = all.slice(begin, begin + text.count)
                begin += text.count
                switch name {
                case "If-Match": conditions.ifMatch = field
                case "If-None-Match": conditions.ifNoneMatch = field
                case "If-Modified-Since": conditions.ifModifiedSince = field
                case "If-Unmodified-Since": conditions.ifUnmodifiedSince = field
                case "If-Range": conditions.ifRange = field
                default: conditions.range = field
                }
            }
            return conditions.outcome(tag: tag, modified: Self.modified, size: 100, now: 1_700_000_000)
        }
    }

    @Test func withoutFieldsEverythingIsSent() {
        #expect(outcome(Self.tag, [:]) == .whole)
    }

    @Test func ifNoneMatch() {
        for list in ["\"5f-64\"", "W/\"5f-64\"", "\"a\", \"5f-64\"", "*", " , \"x\",W/\"y\" ,\"5f-64\""] {
            #expect(outcome(Self.tag, ["If-None-Match": list]) == .notModified, "\(list)")
            #expect(outcome(Self.weak, ["If-None-Match": list]) == .notModified, "\(list)")
        }
        for list in ["\"5f-65\"", "5f-64", "\"5f-64", "x, \"5f-64\"", "w/\"5f-64\""] {
            #expect(outcome(Self.tag, ["If-None-Match": list]) == .whole, "\(list)")
        }
    }

    @Test func ifNoneMatchCountsBeforeTheDate() {
        #expect(outcome(Self.tag, ["If-None-Match": "\"x\"", "If-Modified-Since": Self.date]) == .whole)
        #expect(outcome(Self.tag, ["If-Modified-Since": Self.date]) == .notModified)
        #expect(outcome(Self.tag, ["If-Modified-Since": Self.before]) == .whole)
        #expect(outcome(Self.tag, ["If-Modified-Since": "never"]) == .whole)
    }

    @Test func ifMatchWantsAStrongTag() {
        #expect(outcome(Self.tag, ["If-Match": "\"5f-64\""]) == .whole)
        #expect(outcome(Self.tag, ["If-Match": "*"]) == .whole)
        #expect(outcome(Self.tag, ["If-Match": "W/\"5f-64\""]) == .failed)
        #expect(outcome(Self.weak, ["If-Match": "\"5f-64\""]) == .failed)
        #expect(outcome(Self.tag, ["If-Unmodified-Since": Self.before]) == .failed)
        #expect(outcome(Self.tag, ["If-Unmodified-Since": Self.date]) == .whole)
        #expect(outcome(Self.tag, ["If-Match": "\"5f-64\"", "If-Unmodified-Since": Self.before]) == .whole)
    }

    @Test func ranges() {
        #expect(outcome(Self.tag, ["Range": "bytes=10-19"]) == .part(first: 10, count: 10))
        #expect(outcome(Self.tag, ["Range": "bytes=100-"]) == .unsatisfiable)
        #expect(outcome(Self.tag, ["Range": "bytes=1-2,3-4"]) == .whole)
        #expect(outcome(Self.tag, ["Range": "bytes=10-19", "If-None-Match": "\"5f-64\""]) == .notModified)
    }

    @Test func ifRangeContinuesTheSameFileOnly() {
        let part = Preconditions.Outcome.part(first: 10, count: 90)
        for (tag, field, wanted) in [
            (Self.tag, "\"5f-64\"", part), (Self.tag, "W/\"5f-64\"", .whole), (Self.weak, "\"5f-64\"", .whole),
            (Self.tag, "\"5f-65\"", .whole), (Self.tag, Self.date, part), (Self.tag, Self.before, .whole),
            (Self.weak, Self.date, .whole), (Self.tag, "nonsense", .whole), (Self.tag, "\"5f-64\" x", .whole),
        ] {
            #expect(outcome(tag, ["Range": "bytes=10-", "If-Range": field]) == wanted, "\(tag.text) \(field)")
        }
        // Not even an error: the client starts again.
        #expect(outcome(Self.tag, ["Range": "bytes=100-", "If-Range": "\"x\""]) == .whole)
    }
}
