import CModuleABI
import Heuristics
import Testing

/// Drives em004 through its C tables.
private final class Driver {
    let host = FakeHost()
    let module: em_module
    var instance: OpaquePointer?
    var analysis: OpaquePointer?
    let table: em_analyse_v1
    private var next: UInt64 = 1

    init() throws {
        module = try #require(heuristicsModule()).pointee
        #expect(module.`init`(host.pointer, em_slice(), &instance) == EM_OK)
        let found = try #require(module.interface(instance, "em.analyse/1"))
        table = found.load(as: em_analyse_v1.self)
    }

    deinit {
        if let analysis { table.end(analysis) }
        module.deinit(instance)
    }

    func begin() -> em_status { table.begin(instance, host.scan, &analysis) }

    func object(
        _ name: String, _ type: UInt32, _ data: [UInt8] = [], in parent: em_object? = nil, declared: String = "",
        flags: UInt32 = 0
    ) -> em_object {
        var object = em_object()
        object.struct_size = UInt32(MemoryLayout<em_object>.size)
        object.type = type
        object.id = next
        object.parent = parent?.id ?? 0
        object.data = host.lend(data)
        object.name = host.lend(Array(name.utf8))
        object.declared = host.lend(Array(declared.utf8))
        object.flags = flags
        next += 1
        return object
    }

    @discardableResult
    func see(_ object: em_object, _ parent: em_object?, _ phase: UInt32) -> em_status {
        var object = object
        guard var parent else { return table.object(analysis, &object, nil, phase) }
        return table.object(analysis, &object, &parent, phase)
    }

    func visit(_ object: em_object, _ parent: em_object?, _ children: [em_object] = []) {
        see(object, parent, EM_PHASE_ENTER)
        for child in children {
            see(child, object, EM_PHASE_ENTER)
            see(child, object, EM_PHASE_LEAVE)
        }
        see(object, parent, EM_PHASE_LEAVE)
    }
}

@Suite struct ModuleTests {
    @Test func theSelfTestPasses() throws {
        let driver = try Driver()
        let found = try #require(driver.module.interface(driver.instance, "em.selftest/1"))
        var length: UInt64 = 0
        #expect(found.load(as: em_selftest_v1.self).run(driver.instance, nil, 0, &length) == EM_OK)
        #expect(driver.module.interface(driver.instance, "em.analyse/12") == nil)
    }

    @Test func optionsSwitchItOff() throws {
        let driver = try Driver()
        driver.host.numbers["av_scan_adv_heur"] = 0
        #expect(driver.begin() == EM_E_UNSUPPORTED)
    }

    @Test func aDisguisedProgramInMailBlocks() throws {
        let driver = try Driver()
        #expect(driver.begin() == EM_OK)
        let mail = driver.object("", EM_TYPE_MAIL)
        let attachment = driver.object("invoice.pdf.exe", EM_TYPE_PE, portableExecutable(), in: mail)
        driver.visit(mail, nil, [attachment])
        let found = try #require(driver.host.found("Heuristic.DoubleExtension"))
        #expect(found.kind == EM_FINDING_HEURISTIC)
        #expect(found.score == 100)
        #expect(found.object == attachment.id)
    }

    @Test func ordinaryMailHasNoFinding() throws {
        let driver = try Driver()
        #expect(driver.begin() == EM_OK)
        let mail = driver.object("", EM_TYPE_MAIL)
        let text = driver.object(
            "", EM_TYPE_TEXT, Array("MZ is how my name begins.\r\n".utf8), in: mail, declared: "text/plain")
        let document = driver.object("minutes.docx", EM_TYPE_ZIP, [0x50, 0x4b], in: mail)
        let picture = driver.object("holiday.jpg", EM_TYPE_GRAPHICS, [0xff, 0xd8], in: mail, declared: "image/jpeg")
        driver.visit(mail, nil, [text, document, picture])
        #expect(driver.host.findings.isEmpty)
    }

    @Test func archivesWithASingleProgram() throws {
        let driver = try Driver()
        #expect(driver.begin() == EM_OK)
        let mail = driver.object("", EM_TYPE_MAIL)
        driver.see(mail, nil, EM_PHASE_ENTER)
        let archive = driver.object("order.zip", EM_TYPE_ZIP, in: mail)
        driver.visit(archive, mail, [driver.object("order.exe", EM_TYPE_PE, portableExecutable(), in: archive)])
        #expect(driver.host.found("Heuristic.SingleProgramArchive")?.score == 50)
        #expect(driver.host.found("Heuristic.SingleProgramArchive")?.object == archive.id)

        driver.host.forget()
        let script = driver.object("scan.zip", EM_TYPE_ZIP, in: mail)
        driver.visit(script, mail, [driver.object("scan.pdf.js", EM_TYPE_SCRIPT, [0x76], in: script)])
        #expect(driver.host.found("Heuristic.SingleScriptArchive")?.score == 100)

        driver.host.forget()
        let release = driver.object("release.zip", EM_TYPE_ZIP, in: mail)
        driver.visit(
            release, mail,
            [
                driver.object("README", EM_TYPE_TEXT, in: release),
                driver.object("tool.exe", EM_TYPE_PE, portableExecutable(), in: release),
            ])
        #expect(driver.host.findings.allSatisfy { $0.kind == EM_FINDING_NOTE })
    }

    @Test func encryptedArchivesAreNotedAndTheirNamesRead() throws {
        let driver = try Driver()
        #expect(driver.begin() == EM_OK)
        let mail = driver.object("", EM_TYPE_MAIL)
        driver.see(mail, nil, EM_PHASE_ENTER)
        let archive = driver.object("salary.zip", EM_TYPE_ZIP, in: mail)
        driver.visit(
            archive, mail, [driver.object("salary.xlsx.exe", EM_TYPE_UNKNOWN, in: archive, flags: EM_OBJECT_ENCRYPTED)])
        #expect(driver.host.found("Heuristic.EncryptedArchive")?.kind == EM_FINDING_NOTE)
        #expect(driver.host.found("Heuristic.DoubleExtension")?.score == 100)
    }

    @Test func macrosAreMarkedOnTheDocument() throws {
        let driver = try Driver()
        #expect(driver.begin() == EM_OK)
        let mail = driver.object("", EM_TYPE_MAIL)
        driver.see(mail, nil, EM_PHASE_ENTER)
        let document = driver.object("report.docm", EM_TYPE_ZIP, in: mail)
        let source = "Attribute VB_Name = \"M\"\r\nSub AutoOpen()\r\nCreateObject(\"WScript.Shell\")\r\nEnd Sub\r\n"
        let project = compoundFile([("_VBA_PROJECT", [0xcc]), ("M", storedMacro(source))])
        driver.visit(
            document, mail,
            [
                driver.object("[Content_Types].xml", EM_TYPE_TEXT, in: document),
                driver.object("word/vbaProject.bin", EM_TYPE_OLE2, project, in: document),
            ])
        #expect(driver.host.found("Heuristic.DangerousMacro")?.score == 80)
        #expect(driver.host.marks[document.id] == EM_OBJECT_MACROS)
    }
}
