import Testing

@testable import Configuration

@Suite struct PathsTests {
    @Test func theInstalledSystemLiesWhereTheGuideSays() {
        let paths = Paths()
        #expect(paths.baseDirectory == "/var/opt/eset/esets/lib")
        #expect(paths.cacheDirectory == "/var/opt/eset/esets/cache")
        #expect(paths.configurationFile == "/etc/opt/eset/esets/esets.cfg")
        #expect(paths.sbinDirectory == "/opt/eset/esets/sbin")
        #expect(paths.daemonSocket == "/tmp/esets.sock")
        #expect(paths.relocate("/tmp/x") == "/tmp/x")
    }

    @Test(arguments: [nil, "", "/", "//"] as [String?])
    func noRootIsNoRoot(_ root: String?) {
        #expect(Paths(root: root) == Paths())
    }

    @Test(arguments: [
        ("/tmp/esets.sock", "/r/x/tmp/esets.sock"),
        ("/r/x/tmp/esets.sock", "/r/x/tmp/esets.sock"),
        ("/r/x", "/r/x"),
        ("/r/xy/z", "/r/x/r/xy/z"),
        ("/", "/r/x"),
        ("/../../etc/passwd", "/r/x/etc/passwd"),
        ("/r/x/../../etc/passwd", "/r/x/etc/passwd"),
        ("relative", "relative"),
    ])
    func pathsAreTakenUnderTheRootOnce(_ path: String, _ expected: String) {
        let paths = Paths(root: "/r/x/")
        #expect(paths.relocate(path) == expected)
        #expect(paths.relocate(paths.relocate(path)) == expected)
    }

    @Test func tokensAreReplacedEverywhereAndOnce() {
        let paths = Paths(root: "/r")
        #expect(
            paths.expand("@ETCDIR@/scripts/x a@b @NODIR@ @BINDIR@")
                == "/r/etc/opt/eset/esets/scripts/x a@b @NODIR@ /r/opt/eset/esets/bin")
        #expect(paths.expand("@BASEDIR") == "@BASEDIR")
        #expect(paths.resolve("@BASEDIR@/x") == "/r/var/opt/eset/esets/lib/x")
        #expect(paths.configurationPath(of: "a.cfg") == "/r/etc/opt/eset/esets/a.cfg")
        #expect(paths.configurationPath(of: "/a.cfg") == "/r/a.cfg")
    }
}
