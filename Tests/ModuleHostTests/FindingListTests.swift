import ScanProtocol
import Testing

@testable import ModuleHost

@Suite("Findings of one scan") struct FindingListTests {
    @Test("threats above the limit are a threat of the root") func manyThreats() {
        var findings = FindingList()
        for object in 1...UInt64(FindingList.maximumThreats) {
            findings.add(Finding(kind: .infected, name: "Test", object: object + 1))
        }
        #expect(!findings.list.contains { $0.object == 1 })
        for object in 0..<UInt64(10) {
            findings.add(Finding(kind: .infected, name: "Test", object: 10_000 + object))
        }
        #expect(findings.list.count == FindingList.maximumThreats + 1)
        #expect(findings.list.last == Finding(kind: .infected, name: Finding.multipleThreats))
        #expect(findings.list.last?.isThreat == true)
    }

    @Test("more that was not scanned than can be listed is said of the root") func manyNotScanned() {
        var findings = FindingList()
        for object in 1...UInt64(FindingList.maximumOthers) {
            findings.add(Finding(kind: .notScanned, name: "password protected", object: object + 1))
        }
        #expect(!findings.list.contains { $0.object == 1 })
        for object in 0..<UInt64(10) {
            findings.add(Finding(kind: .notScanned, name: "password protected", object: 10_000 + object))
        }
        #expect(findings.list.count == FindingList.maximumOthers + 1)
        #expect(findings.list.last?.object == 1)
        #expect(findings.list.last?.kind == .notScanned)
    }

    @Test("notes do not crowd out what was not scanned") func notes() {
        var findings = FindingList()
        for object in 1...UInt64(FindingList.maximumOthers) {
            findings.add(Finding(kind: .note, name: "malformed", object: object))
        }
        findings.add(Finding(kind: .notScanned, name: "password protected", object: 7))
        #expect(findings.list.contains { $0.kind == .notScanned })
    }
}
