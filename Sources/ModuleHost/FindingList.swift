import Bytes
import CModuleABI
import ScanProtocol

/// The findings of one scan, bounded: hostile content cannot make a verdict grow without end. When threats, or parts
/// not scanned, are left out, the root object says so: removing the objects that are listed would not be enough.
struct FindingList {
    private(set) var list: [Finding] = []
    private(set) var spamScore = 0.0
    private var others = 0
    private var threats = 0
    private var reasons: Set<Reason> = []
    /// Objects that have a reason.
    private var explained: Set<UInt64> = []

    private struct Reason: Hashable {
        let object: UInt64
        let name: String
    }

    /// Of the root: more was not scanned than is listed.
    private static let more = Reason(object: 1, name: "limit: too many findings")
    static let maximumThreats = 500
    static let maximumOthers = 500

    mutating func add(_ finding: Finding) {
        if finding.kind == .spam { spamScore += finding.score }
        if finding.isThreat {
            guard threats < Self.maximumThreats else {
                // Of the root, so that whoever cleans by removing parts finds one that no part explains.
                if threats == Self.maximumThreats {
                    list.append(Finding(kind: .infected, name: Finding.multipleThreats))
                    threats += 1
                }
                return
            }
            threats += 1
        } else {
            // A limit that stops a thousand children of one object is one reason.
            if finding.kind == .notScanned {
                explained.insert(finding.object)
                guard reasons.insert(Reason(object: finding.object, name: finding.name)).inserted else { return }
            }
            guard others < Self.maximumOthers else {
                if finding.kind == .notScanned, reasons.insert(Self.more).inserted {
                    explained.insert(Self.more.object)
                    list.append(Finding(kind: .notScanned, name: Self.more.name, object: Self.more.object))
                }
                return
            }
            others += 1
        }
        list.append(finding)
    }

    /// What an object's flags say about the verdict: content that could not be opened was not scanned.
    mutating func addOutcome(of record: ObjectRecord, id: UInt64) {
        if record.flags & EM_OBJECT_ENCRYPTED != 0 {
            add(Finding(kind: .notScanned, name: "password protected", object: id))
        }
        if record.flags & EM_OBJECT_UNSUPPORTED != 0 {
            add(Finding(kind: .notScanned, name: "unsupported format variant", object: id))
        }
        if record.flags & EM_OBJECT_OVER_LIMIT != 0, !explained.contains(id) {
            add(Finding(kind: .notScanned, name: "limit: a part was left out", object: id))
        }
        if record.flags & EM_OBJECT_MALFORMED != 0 {
            add(Finding(kind: .note, name: "malformed", object: id))
        }
        if record.flags & EM_OBJECT_TRUNCATED != 0 {
            add(Finding(kind: .note, name: "truncated", object: id))
        }
    }
}

/// Text of a module as text for people: UTF-8 repaired, control characters replaced, bounded.
func printable(_ bytes: ByteView, limit: Int = 256) -> String {
    let text = String(decoding: bytes.prefix(limit).buffer, as: UTF8.self)
    guard text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f || (0x80..<0xa0) ~= $0.value })
    else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
        let isControl = scalar.value < 0x20 || (0x7f..<0xa0) ~= scalar.value
        result.unicodeScalars.append(isControl ? "?" : scalar)
    }
    return result
}
