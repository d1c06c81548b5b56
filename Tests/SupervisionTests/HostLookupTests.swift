import Glibc
import Testing

@testable import Supervision

@Suite("Host lookup") struct HostLookupTests {
    @Test("addresses need none")
    func addresses() {
        for host in ["", "127.0.0.1", "::1", "0.0.0.0"] { #expect(HostLookup.isAddress(host), "\(host)") }
        for host in ["localhost", "mail.example.org"] { #expect(!HostLookup.isAddress(host), "\(host)") }
    }

    @Test("a name server that does not answer keeps nobody waiting")
    func silence() throws {
        let loop = PollLoop()
        var answers: [String: HostLookup.Answer]?
        var turns = 0
        // Others have their turns meanwhile.
        func again() {
            turns += 1
            if answers == nil { loop.after(1_000_000) { again() } }
        }
        again()
        HostLookup.start(["fast", "slow"], loop: loop, patience: 3_000_000_000) { name in
            if name == "slow" { while true { pause() } }
            return .addresses(["192.0.2.1"])
        } done: {
            answers = $0
        }
        try loop.run { answers != nil }
        #expect(turns > 2)
        #expect(answers?["fast"] == .addresses(["192.0.2.1"]))
        #expect(answers?["slow"] == .failure("no answer within 3 seconds"))
    }
}
