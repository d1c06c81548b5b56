import ClamdProtocol
import Glibc
import Platform
import Testing

@testable import ClamdAgent

@Suite struct PathWalkTests {
    private let scratch: Scratch
    private let root: String

    init() throws {
        scratch = try Scratch()
        root = scratch.path
        for name in ["a", "d/b", "d/e/c", "d/e/f/g"] { try scratch.put(name) }
        try #require(symlink("a", root + "/link") == 0)
        try #require(symlink("d", root + "/linked") == 0)
        try #require(symlink("/etc/passwd", root + "/out") == 0)
        try #require(symlink("..", root + "/d/loop") == 0)
        try #require(mkfifo(root + "/pipe", 0o644) == 0)
    }

    /// Names of files, and replies about what cannot be scanned, sorted, without the directory of the test.
    private func walk(
        _ path: String, roots: [String]? = nil, follows: Bool = false, deepest: Int = 15
    ) -> [String] {
        let walk = PathWalk(
            Array(path.utf8), .init(roots: roots ?? [""], followsLinks: follows, deepest: deepest))
        var found: [String] = []
        while let item = walk.next() {
            switch item {
            case .file(let name, let descriptor, let size):
                found.append(String(decoding: name, as: UTF8.self))
                #expect((try? descriptor.readToEnd().count) == Int(size))
            case .problem(let line): found.append(String(decoding: line, as: UTF8.self))
            }
        }
        return found.map { $0.replacing(root, with: "") }.sorted()
    }

    @Test func everythingBelow() {
        #expect(walk(root) == ["/a", "/d/b", "/d/e/c", "/d/e/f/g"])
        #expect(walk(root + "/d/") == ["/d/b", "/d/e/c", "/d/e/f/g"])
        #expect(walk(root + "/a") == ["/a"])
    }

    @Test func depth() {
        #expect(
            walk(root, deepest: 1) == ["/a", "/d/b", "/d/e: Directory recursion limit exceeded. ERROR"])
        #expect(walk(root, deepest: 2).contains("/d/e/c"))
    }

    @Test func linksAreFollowedOnlyWhereThatIsWished() {
        #expect(walk(root + "/link") == ["/link: Not supported file type ERROR"])
        // Each directory once, whatever leads to it.
        let found = walk(root, roots: [root], follows: true)
        #expect(found.filter { $0.hasSuffix("/b") }.count == 1)
        #expect(found.contains("/link"))
        #expect(!found.contains("/out"))
        #expect(walk(root, follows: true).contains("/out"))
    }

    @Test func nothingLeadsOutOfTheRoots() {
        let roots = [root + "/d"]
        let denied = ": File path check failure: Permission denied. ERROR"
        #expect(walk(root + "/d/b", roots: roots) == ["/d/b"])
        #expect(walk(root + "/d", roots: roots).contains("/d/e/c"))
        #expect(walk(root + "/a", roots: roots) == ["/a: Access denied. ERROR"])
        #expect(walk(root + "/dd", roots: roots) == ["/dd: Access denied. ERROR"])
        #expect(walk(root + "/d/../a", roots: roots) == ["/d/../a" + denied])
        #expect(walk(root + "/d/loop/a", roots: roots) == ["/d/loop/a" + denied])
        #expect(walk(root + "/d/loop/a", roots: roots, follows: true) == ["/d/loop/a" + denied])
        #expect(walk(root + "/a", roots: []) == ["/a: Access denied. ERROR"])
    }

    @Test func whatIsNoFile() {
        #expect(walk(root + "/pipe") == ["/pipe: Not supported file type ERROR"])
        #expect(walk("/dev/null") == ["/dev/null: Not supported file type ERROR"])
        #expect(walk("/proc/self/status") == ["/proc/self/status: Not supported file type ERROR"])
        #expect(walk("/proc/self") == ["/proc/self: Not supported file type ERROR"])
        let missing = ": File path check failure: No such file or directory. ERROR"
        #expect(walk(root + "/no") == ["/no" + missing])
        #expect(walk("relative") == ["relative" + missing])
        #expect(walk("") == [missing])
    }
}
