import Glibc
import Platform
import Testing

@testable import Configuration

@Suite struct LoadAndSaveTests {
    @Test func savingKeepsModeAndFollowsLinks() throws {
        let scratch = try Scratch("num_proc = 1\n")
        chmod(scratch.path("esets.cfg"), 0o604)
        rename(scratch.path("esets.cfg"), scratch.path("real.cfg"))
        symlink("real.cfg", scratch.path("esets.cfg"))
        var text = try ConfigurationFile.read(scratch.paths.configurationFile)
        try text.set("num_proc", to: "2", in: "global", quoted: false)
        try text.save(to: scratch.paths.configurationFile)
        #expect(try scratch.text("real.cfg") == "num_proc = 2\n")
        #expect(Files.linkTarget(scratch.path("esets.cfg")) == "real.cfg")
        var info = stat()
        #expect(stat(scratch.path("real.cfg"), &info) == 0)
        #expect(info.st_mode & 0o7777 == 0o604)
        #expect(try Files.names(in: scratch.paths.configurationDirectory) == ["esets.cfg", "real.cfg"])
    }

    @Test(.enabled(if: geteuid() == 0)) func savingKeepsTheOwner() throws {
        let scratch = try Scratch("num_proc = 1\n")
        #expect(chown(scratch.path("esets.cfg"), 12, 34) == 0)
        try file("num_proc = 2\n").save(to: scratch.path("esets.cfg"))
        var info = stat()
        #expect(stat(scratch.path("esets.cfg"), &info) == 0)
        #expect(info.st_uid == 12 && info.st_gid == 34)
    }

    @Test func aFailedSaveLeavesTheOldFile() throws {
        let scratch = try Scratch("num_proc = 1\n")
        #expect(throws: ConfigurationFileProblem.self) { try file("x").save(to: scratch.path("no/esets.cfg")) }
        #expect(try scratch.text() == "num_proc = 1\n")
    }

    @Test func loadReadsUserFilesAndNamesThem() throws {
        let scratch = try Scratch("[smtp]\nuser_config = spec.cfg\n")
        try scratch.write("[a@b]\naction_av = reject\n", to: "spec.cfg")
        let all = try Configuration.load(paths: scratch.paths)
        #expect(all.files == [scratch.path("esets.cfg"), scratch.path("spec.cfg")])
        #expect(
            all.settings(agent: "smtp", recipient: "a@b", sender: nil, clientAddress: nil).action("action_av")
                == .reject)
    }

    @Test func aPasswordThatEverybodyMayReadIsAWarning() throws {
        let scratch = try Scratch("num_proc = 2\n[mird]\npassword = \"x\"\n")
        #expect(try Configuration.load(paths: scratch.paths).warnings == [])
        chmod(scratch.path("esets.cfg"), 0o644)
        let warnings = try Configuration.load(paths: scratch.paths).warnings
        #expect(warnings.map(\.line) == [3])
        try scratch.write("num_proc = 2\n", to: "esets.cfg")
        chmod(scratch.path("esets.cfg"), 0o644)
        #expect(try Configuration.load(paths: scratch.paths).warnings == [])
    }

    @Test func aMissingFileIsAnError() throws {
        let paths = Paths(root: "/nonexistent")
        let error = #expect(throws: ConfigurationError.self) { try Configuration.load(paths: paths) }
        #expect(error?.description == "\(paths.configurationFile): No such file or directory")
    }
}

@Suite struct DefaultConfigurationTests {
    private static let shipped =
        #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined() + "/etc/esets.cfg"

    @Test func theShippedFileIsWhatTheTableSays() throws {
        #expect(
            try Files.text(Self.shipped) == DefaultConfiguration.text, "run: esets_set --print-default > etc/esets.cfg")
    }

    @Test func theManualPageHasTheTable() throws {
        let page = try Files.text(Self.shipped.replacingSuffix("etc/esets.cfg", "docs/man/esets.cfg.5"))
        let list = ParameterManual.begin + "\n" + ParameterManual.text + ParameterManual.end + "\n"
        #expect(page.contains(list), "put the output of esets_set --print-manual into docs/man/esets.cfg.5")
    }

    @Test func itSetsNothingAndShowsEveryParameter() throws {
        let shipped = file(DefaultConfiguration.text)
        #expect(shipped.blocks.flatMap(\.entries) == [])
        let shown = Set(
            shipped.lines.compactMap { if case .commentedParameter(let name) = $0.content { name } else { nil } })
        let expected = Set(
            ParameterTable.all.filter {
                $0.obsolete == nil && $0.name != "parent_id" && $0.sections != .upstream
            }.map(\.name))
        #expect(shown == expected)
    }

    @Test func withEveryDefaultUncommentedNothingChanges() throws {
        let text = DefaultConfiguration.text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            if case .commentedParameter = file(String(line)).lines.first?.content {
                String(line.dropFirst())
            } else {
                String(line)
            }
        }.joined(separator: "\n")
        let all = try configuration(text)
        let builtIn = Configuration.builtIn(paths: Paths())
        #expect(all.warnings.isEmpty)
        for (name, _) in Sections.names {
            let (set, plain) = (all.settings(for: name), builtIn.settings(for: name))
            for parameter in set.names {
                #expect(set.written(parameter) == plain.written(parameter), "\(name) \(parameter)")
            }
        }
    }
}

@Suite struct EditorTests {
    private func editor(_ scratch: Scratch, _ section: String = "global", user: String? = nil, create: Bool = false)
        throws -> ConfigurationEditor
    {
        try ConfigurationEditor(paths: scratch.paths, section: section, user: user, mayCreate: create)
    }

    @Test func assignments() throws {
        let scratch = try Scratch("[smtp]\nlisten_port = 25\n")
        var edit = try editor(scratch, "smtp")
        try edit.set("listen_addr = 127.0.0.1")
        try edit.set("av_eml_subject_template=\"a # \\\"b\\\"\"")
        try edit.set("listen_port")
        #expect(
            String(decoding: edit.edited.bytes, as: UTF8.self)
                == "[smtp]\nlisten_addr = \"127.0.0.1\"\nav_eml_subject_template = \"a # \\\"b\\\"\"\n")
        #expect(edit.check().new == [])
        #expect(throws: ConfigurationEditError("unknown parameter listen_prt; did you mean listen_port?")) {
            try edit.set("listen_prt")
        }
        #expect(throws: ConfigurationEditError.self) { try edit.set("= 1") }
        #expect(throws: ConfigurationEditError.self) { try edit.set("listen_addr = \"a\" b") }
    }

    @Test func onlyNewMistakesCount() throws {
        let scratch = try Scratch("bogus = 1\n\n[smtp]\n")
        var edit = try editor(scratch, "smtp")
        try edit.set("num_proc = 2")
        #expect(edit.check().new == [])
        #expect(edit.check().old.map(\.line) == [1])
        try edit.set("num_thrd = many")
        #expect(
            edit.check().new.map(\.description) == ["\(scratch.path("esets.cfg")):5: num_thrd must be a whole number"])
    }

    @Test func userSectionsNeedTheirFile() throws {
        let scratch = try Scratch("")
        #expect(throws: ConfigurationEditError.self) { try editor(scratch, "smtp", user: "a@b", create: true) }
        #expect(throws: ConfigurationEditError("[mird] knows no users")) {
            try editor(scratch, "mird", user: "a@b", create: true)
        }
        try scratch.write("[smtp]\nuser_config = u.cfg\n", to: "esets.cfg")
        #expect(throws: ConfigurationEditError.self) { try editor(scratch, "smtp", user: "a@b") }
        var edit = try editor(scratch, "smtp", user: "a@b", create: true)
        #expect(throws: ConfigurationEditError.self) { try edit.set("action_av = reject") }
        try edit.create()
        try edit.set("action_av = reject")
        #expect(edit.check().new == [])
        try edit.save()
        #expect(try scratch.text("u.cfg") == "[a@b]\naction_av = \"reject\"\n")
        let values = try editor(scratch, "smtp", user: "a@b").values()
        #expect(values.first { $0.parameter.name == "action_av" }?.value == "reject")
        #expect(values.first { $0.parameter.name == "action_av_infected" }?.value == "reject")
        #expect(!values.contains { $0.parameter.name == "listen_port" })
    }
}

extension String {
    fileprivate func replacingSuffix(_ old: String, _ new: String) -> String {
        hasSuffix(old) ? dropLast(old.count) + new : self
    }
}
