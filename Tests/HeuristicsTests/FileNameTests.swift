import BytesE
import CModuleABI
import Testing

@testable import Heuristics

private func facts(
    _ name: String, _ content: ExecutableContent = .none, type: UInt32 = EM_TYPE_UNKNOWN, declared: String = "",
    encrypted: Bool = false, attached: Bool = false
) -> [Suspicion] {
    let name = Array(name.utf8)
    let declared = Array(declared.utf8)
    return name.withUnsafeBufferPointer { name in
        declared.withUnsafeBufferPointer { declared in
            ObjectFacts(
                name: ByteView(name), content: content, type: type, declared: ByteView(declared),
                isEncrypted: encrypted,
                isAttachment: attached, isInMail: true
            ).suspicions
        }
    }
}

private func score(_ found: [Suspicion], _ kind: Suspicion.Kind) -> Int32? { found.first { $0.kind == kind }?.score }

@Suite struct FileNameTests {
    @Test(arguments: [
        "invoice.pdf.exe", "invoice.pdf       .exe", "INVOICE.PDF.SCR", "a/b\\invoice.docx.exe", "scan.jpg.exe. . .",
    ])
    func programsNamedAsDocumentsBlock(name: String) {
        #expect(score(facts(name, .windowsProgram), .doubleExtension) == 100)
    }

    @Test(arguments: [
        "setup-2.1.exe", "archive.tar.exe", "www.example.com", "report.v2.pdf", "photo.jpg", "a.b.c", ".exe", "x.",
    ])
    func ordinaryNamesDoNotBlock(name: String) {
        #expect(facts(name, attached: true).allSatisfy { $0.score < 40 }, "\(name)")
    }

    @Test func spacesThatHideTheEndingBlock() {
        let name = "Offer 2026.exe".replacing("26", with: "26" + String(repeating: " ", count: 40))
        #expect(score(facts(name, .windowsProgram), .hiddenExtension) == 100)
        #expect(score(facts(name), .hiddenExtension) == 70)
        let wide = "Offer" + String(repeating: "\u{a0}\u{2003}\u{3000}", count: 5) + ".scr"
        #expect(score(facts(wide, .windowsProgram), .hiddenExtension) == 100)
    }

    @Test func turnedNames() {
        #expect(score(facts("annexe\u{202e}fdp.exe", .windowsProgram), .turnedName) == 100)
        #expect(score(facts("annexe\u{202e}txt.pdf"), .turnedName) == 60)
        // The marks that Hebrew names need are no trick.
        #expect(facts("\u{200f}דוח.pdf", type: EM_TYPE_PDF).isEmpty)
    }

    @Test func scriptsWithADocumentsNameBlockOnlyWhenAttached() {
        #expect(score(facts("Rechnung.pdf.js", attached: true), .doubleExtension) == 100)
        #expect(score(facts("Report.pdf.lnk", .shortcut), .doubleExtension) == 60)
        #expect(facts("index.md.js").isEmpty)
        #expect(facts("data.csv.js").isEmpty)
    }

    @Test func programsBehindHarmlessNames() {
        #expect(score(facts("picture.jpg", .windowsProgram), .disguisedProgram) == 100)
        #expect(score(facts("invoice.pdf", .shortcut), .disguisedProgram) == 100)
        #expect(score(facts("renamed.txt", .windowsProgram), .disguisedProgram) == 70)
        #expect(score(facts("core.png", .elf), .disguisedProgram) == 80)
        #expect(
            score(facts("run.exe", .windowsProgram, declared: "audio/x-wav", attached: true), .declaredMismatch) == 80)
        #expect(
            score(
                facts("tool.exe", .windowsProgram, declared: "application/octet-stream", attached: true),
                .programAttachment) == 30)
    }

    @Test func encryptedProgramsAreSeenByTheirNames() {
        #expect(score(facts("invoice.pdf.exe", encrypted: true), .doubleExtension) == 100)
        #expect(score(facts("tool.exe", encrypted: true), .encryptedProgram) == 60)
    }

    @Test func mismatchesAreNotesAndOfficeNamesAreFree() {
        #expect(score(facts("a.pdf", type: EM_TYPE_ZIP), .contentMismatch) == 15)
        #expect(facts("letter.doc", type: EM_TYPE_RTF).isEmpty)
        #expect(facts("export.xls", type: EM_TYPE_HTML).isEmpty)
    }

    @Test func anyBytesAreAName() {
        for length in [0, 1, 2, 5000] {
            for byte: UInt8 in [0x2e, 0x20, 0xe2, 0xff, 0x2f] {
                let name = [UInt8](repeating: byte, count: length)
                name.withUnsafeBufferPointer { _ = FileName(ByteView($0)) }
            }
        }
    }
}
