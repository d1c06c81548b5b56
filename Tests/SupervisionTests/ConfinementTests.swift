import Glibc
import Platform
import Testing

/// What a process that talks to strangers may still do; tried in a process of its own, for it never ends.
@Suite("Confinement") struct ConfinementTests {
    /// What a confined process found, by what it tried.
    private func outcomes(program: String?) throws -> [String: String] {
        let directory = "/tmp/esets-confinement-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        try Files.makeDirectory("\(directory)/inside")
        defer { try? Files.remove(directory) }
        try Files.replace("\(directory)/readable", with: [1])
        let (near, far) = try UnixSocket.pair()
        var arguments = [
            "fixture", "--confinement-check=\(directory)/inside", "--readable=\(directory)/readable",
        ]
        if let program { arguments.append("--program=\(program)") }
        let pid = try ChildProcess.spawn(
            RunningManager.fixture, arguments: arguments, environment: [:], descriptors: [(3, far.raw), (2, 2)])
        #expect(try ChildProcess.wait(pid) == .exited(0))
        let report = try UnixSocket.receive(near, flags: Int32(MSG_DONTWAIT))
        var result: [String: String] = [:]
        for line in String(decoding: report?.bytes ?? [], as: UTF8.self).split(separator: "\n") {
            guard let blank = line.lastIndex(of: " ") else { continue }
            result[String(line[..<blank])] = String(line[line.index(after: blank)...])
        }
        return result
    }

    private static let refused = [
        "passwd", "beside", "into readable", "leave", "link", "packet", "listen", "root", "start /bin/cat", "exec",
    ]
    private static let allowed = [
        "readable", "inside", "rename", "unlink", "connect", "names", "authorities", "thread",
    ]

    @Test("leaves connections, names, certificates and one folder, no other files, programs or servers")
    func fetching() throws {
        let found = try outcomes(program: nil)
        for name in Self.refused + ["start /bin/true"] { #expect(found[name] == "refused", "\(name): \(found)") }
        for name in Self.allowed { #expect(found[name] == "allowed", "\(name): \(found)") }
        #expect(!found.keys.contains { $0.hasPrefix("warning") }, "\(found)")
    }

    @Test("leaves the programs that it names, and no others") func programs() throws {
        let found = try outcomes(program: "/bin/true")
        for name in Self.refused { #expect(found[name] == "refused", "\(name): \(found)") }
        for name in Self.allowed + ["start /bin/true"] { #expect(found[name] == "allowed", "\(name): \(found)") }
    }
}
