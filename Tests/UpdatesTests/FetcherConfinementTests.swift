import Platform
import Testing
import Updates

@Suite("What the fetching process may do") struct FetcherConfinementTests {
    private func plan(_ check: FetchPlan.Check) -> FetchPlan {
        var plan = FetchPlan(staging: "/data/fetch", mirror: "/mirror")
        var upstream = FetchPlan.Upstream(name: "list", kind: .list)
        upstream.check = check
        upstream.root = "/etc/root.json"
        upstream.trusted = "/data/trusted/list"
        plan.upstreams = [upstream]
        return plan
    }

    @Test("is to write where it gathers, read what its plan names, and connect") func usual() {
        let confinement = plan(.key("/etc/key.pub")).confinement
        #expect(confinement.writable == ["/data/fetch", "/dev/null"])
        #expect(Set(confinement.readable) == ["/mirror", "/etc/root.json", "/data/trusted/list", "/etc/key.pub"])
        #expect(confinement.programs.isEmpty && confinement.mayConnect)
    }

    @Test("is to start gpgv only for whoever has a keyring") func keyring() {
        let confinement = plan(.keyring("/etc/ring.gpg")).confinement
        #expect(confinement.programs == [FetchPlan.verifier])
        #expect(confinement.readable.contains("/etc/ring.gpg"))
    }

    @Test("is not to connect at all when everything comes from a folder") func offline() {
        var plan = plan(.tls)
        plan.offline = "/media/stick"
        #expect(!plan.confinement.mayConnect && plan.confinement.readable.contains("/media/stick"))
    }
}
