import Archives
import CModuleABI
import Testing

@Suite struct ModuleTests {
    @Test func selfTestPasses() {
        #expect(archivesSelfTest().map { "\($0)" } == nil)
    }

    @Test func tables() throws {
        let module = try #require(archivesModule())
        #expect(module.pointee.magic == EM_MODULE_MAGIC)
        #expect(String(cString: module.pointee.id) == "em003.archives")
        #expect(module.pointee.interface(nil, "em.container/1") != nil)
        #expect(module.pointee.interface(nil, "em.container/1x") == nil)
        #expect(module.pointee.interface(nil, "em.container/") == nil)
        #expect(module.pointee.`init`(nil, em_slice(), nil) == EM_E_STATE)
    }

    @Test func formatsAreThoseOfTheRegistry() throws {
        let module = try #require(archivesModule())
        let table = try #require(
            module.pointee.interface(nil, "em.container/1")?.assumingMemoryBound(to: em_container_v1.self))
        var names: [String] = []
        var entry = try #require(table.pointee.formats)
        while let name = entry.pointee {
            names.append(String(cString: name))
            entry += 1
        }
        #expect(names.first == "MIME")
        #expect(names.contains("PDF") && names.contains("7Z") && names.contains("DMG"))
        #expect(Set(names).count == names.count)
    }

    @Test func nothingIsNoContainer() {
        for bytes in ["", "P", "just text: with a colon in it\nand more", "PK", "\u{1F}\u{8B}"] {
            #expect(unpacked(Array(bytes.utf8)).status == EM_E_UNSUPPORTED, "\(bytes)")
        }
    }

    @Test func whatAMailAgentHandsOverIsAMessage() {
        let message = lines("X-Odd: 1", "", "begin")
        #expect(unpacked(message).status == EM_E_UNSUPPORTED)
        let host = TrialHost(memory: 1 << 20)
        host.agent = "smtp"
        #expect(unpacked(message, host).status == EM_END)
        #expect(host.texts == ["begin"])
    }

    @Test func cancellationEndsAtOnce() {
        var zip = ZIPBuilder()
        for index in 0..<50 { zip.add("\(index)", "x", method: 8) }
        for sample in [zip.finished(), lines("From: a", "To: b", "Date: c", "", "x"), tarEntry("a", "b")] {
            let host = TrialHost(memory: 1 << 20)
            host.mostChecks = 0
            #expect(unpacked(sample, host).status == EM_E_CANCELLED)
            #expect(host.children.isEmpty)
        }
    }
}
