import JSON
import Testing

@testable import TUF

@Suite("A target")
struct TargetTests {
    private func target(_ content: String, in role: String = "targets") throws -> Target {
        let simulator = Simulator()
        simulator.add("signatures/a.ndb", content)
        simulator.publishAll()
        let (client, _) = try simulator.update(simulator.newClient(), all: true)
        return try #require(client.targets.first)
    }

    @Test("is what its role says, and nothing else")
    func content() throws {
        let target = try target("the right content")
        try target.check(Array("the right content".utf8))
        for (wrong, kind) in [
            ("the wrong content", TUFError.Kind.content), ("the right conten", .content), ("", .content),
            ("the right content!", .tooLong),
        ] {
            let error = #expect(throws: TUFError.self) { try target.check(Array(wrong.utf8)) }
            #expect(error?.kind == kind)
            #expect(error?.subject == "signatures/a.ndb")
        }
    }

    @Test("stops growing when it is longer than it may be")
    func endless() throws {
        let checker = TargetChecker(try target("four"))
        try checker.update([1, 2, 3])
        #expect(throws: TUFError.self) { try checker.update([4, 5]) }
        #expect(checker.length == 3)
    }

    @Test("needs a hash that we know, and all that we know must be right")
    func hashes() throws {
        let content = Array("content".utf8)
        func check(_ hashes: JSONValue) -> Bool {
            guard let file = Targets.File(["length": 7, "hashes": hashes]) else { return false }
            let target = Target(path: "a", file: file, roles: ["targets"], allowed: nil, isConsistent: true)
            return (try? target.check(content)) != nil
        }
        let short = JSONValue.string(Hexadecimal.text(SHA2.sha256(content)))
        let long = JSONValue.string(Hexadecimal.text(SHA2.sha512(content)))
        let wrong = JSONValue.string(String(repeating: "0", count: 64))
        #expect(check(["sha256": short]))
        #expect(check(["sha512": long]))
        #expect(check(["sha256": short, "sha512": long, "blake": "x"]))
        #expect(!check(["sha256": wrong, "sha512": long]))
        #expect(!check(["blake": short]))
        #expect(!check([:]))
        #expect(!check(["sha256": "00"]))
    }

    @Test(
        "whose path leads elsewhere makes its file malformed",
        arguments: [
            "../evil", "a/../../evil", "/etc/passwd", "a//b", "a/", ".", "..", "a/./b", "a\\..\\b", "a\u{0}b", "a\nb",
            "%2e%2e/evil", "a/%2E%2E/%2e%2e/b", "%2Fetc/passwd", "a%5c..", "a%00b", "",
            String(repeating: "a", count: 2_000),
            "\u{7F}",
        ])
    func traversal(path: String) throws {
        #expect(!FileNames.isSafe(path: path))
        let simulator = Simulator()
        simulator.add(path, "content")
        simulator.publish(["targets", "snapshot", "timestamp"])
        let disk = simulator.newClient()
        let error = try #require(simulator.failure(disk))
        #expect(error.kind == .malformed)
        #expect(error.reason.contains("path"))
        #expect(disk.files["targets.json"] == nil)
    }

    @Test(
        "whose path is good keeps it", arguments: ["a", "a/b.c", "...", "a..b/..c", "%", "100%", "a%20b", "ä/b c", "-"])
    func goodPaths(path: String) throws {
        let simulator = Simulator()
        simulator.add(path, "content")
        simulator.publish(["targets", "snapshot", "timestamp"])
        let (client, _) = try simulator.update(simulator.newClient(), find: path)
        #expect(client.targets.map(\.path) == [path])
    }

    @Test("has its hash in front of its name, and an address without anything that means something else")
    func locations() throws {
        let file = Targets.File(length: 0, hashes: Hashes(sha256: [UInt8](repeating: 0xAB, count: 32)))
        let digits = String(repeating: "ab", count: 32)
        func target(_ path: String, _ isConsistent: Bool) -> Target {
            Target(path: path, file: file, roles: ["targets"], allowed: nil, isConsistent: isConsistent)
        }
        #expect(target("a/b c", true).location == "a/\(digits).b c")
        #expect(target("a/b c?#%41%", true).address == "a/\(digits).b%20c%3F%23%41%25")
        #expect(target("b", true).location == "\(digits).b")
        #expect(target("a/b", false).location == "a/b")
    }

    @Test("of code comes from the top-level role alone, whatever a delegation says")
    func kinds() throws {
        let all = TargetKind.allCases.map(\.rawValue)
        for kinds in [nil, all, ["module"], []] as [[String]?] {
            let simulator = Simulator()
            simulator.delegate("lists", kinds: kinds)
            simulator.delegate("below", from: "lists", kinds: all)
            for (index, role) in ["targets", "lists", "below"].enumerated() {
                for kind in TargetKind.allCases {
                    simulator.add("\(kind.folder)\(index)", "content", to: role, kind: kind.rawValue)
                }
            }
            simulator.publishAll()
            let (client, _) = try simulator.update(simulator.newClient(), all: true)
            #expect(client.targets.count == 15)
            for target in client.targets {
                let kind = try #require(TargetKind(rawValue: target.custom["kind"]?.string ?? ""))
                let isAllowed: Bool =
                    switch (target.role, kind) {
                    case ("targets", _): true
                    case (_, .module): false
                    case (_, .pcu): kinds == all
                    default: kinds == nil || kinds == all
                    }
                if isAllowed {
                    #expect(try target.kind() == kind)
                } else {
                    let error = #expect(throws: TUFError.self, "\(target.path) \(target.role)") { try target.kind() }
                    #expect(error?.kind == .notAllowed)
                }
            }
        }
    }

    @Test("has the kind of its folder, or none")
    func foldersOfKinds() throws {
        let simulator = Simulator()
        simulator.add("signatures/em001_64.dat", "x", kind: "module")
        simulator.add("modules/list.ndb", "x", kind: "signatures")
        simulator.add("modulesX", "x", kind: "module")
        simulator.add("modules/unknown", "x", kind: "firmware")
        simulator.add("modules/none", "x")
        simulator.publishAll()
        let (client, _) = try simulator.update(simulator.newClient(), all: true)
        #expect(client.targets.count == 5)
        for target in client.targets { #expect(throws: TUFError.self) { try target.kind() } }
    }
}
