import Glibc
import Platform
import Testing

@testable import OnDemand

@Suite struct FileWalkTests {
    private func walk(_ paths: [String], _ change: (inout FileSelection) -> Void = { _ in }) -> [FileWalk.Event] {
        var selection = FileSelection()
        change(&selection)
        var walk = FileWalk(paths, selection)
        var events: [FileWalk.Event] = []
        while let event = walk.next(), events.count < 1000 { events.append(event) }
        return events
    }

    private func files(_ events: [FileWalk.Event], below path: String) -> [String] {
        events.compactMap { if case .file(let found) = $0 { String(found.dropFirst(path.count + 1)) } else { nil } }
    }

    @Test func findsFilesInOrder() throws {
        let scratch = try Scratch()
        for name in ["b/2", "b/1", "a", "c/d/e/f", ".hidden"] { try scratch.file(name) }
        #expect(files(walk([scratch.path]), below: scratch.path) == [".hidden", "a", "b/1", "b/2", "c/d/e/f"])
        #expect(files(walk([scratch.path]) { $0.recursive = false }, below: scratch.path) == [".hidden", "a"])
        #expect(files(walk([scratch.path]) { $0.deepest = 1 }, below: scratch.path) == [".hidden", "a", "b/1", "b/2"])
    }

    @Test func linksAreFollowedButNeverInCircles() throws {
        let scratch = try Scratch()
        try scratch.file("real/x")
        symlink("..", "\(scratch.path)/real/up")
        symlink("real", "\(scratch.path)/again")
        symlink("self", "\(scratch.path)/self")
        symlink("nowhere", "\(scratch.path)/broken")
        let events = walk([scratch.path])
        #expect(files(events, below: scratch.path) == ["again/x"])
        #expect(events.contains(.skipped("\(scratch.path)/broken", "symbolic link that leads nowhere")))
        #expect(events.contains(.skipped("\(scratch.path)/self", "symbolic link that leads nowhere")))
        #expect(files(walk([scratch.path]) { $0.followsLinks = false }, below: scratch.path) == ["real/x"])
        // A given link is followed in any case.
        #expect(files(walk(["\(scratch.path)/again"]) { $0.followsLinks = false }, below: scratch.path) == ["again/x"])
    }

    @Test func specialFilesDoNotBlock() throws {
        let scratch = try Scratch()
        let pipe = "\(scratch.path)/pipe"
        #expect(mkfifo(pipe, 0o600) == 0)
        #expect(walk([scratch.path]) == [.skipped(pipe, "named pipe")])
        guard case .unreadable(pipe, let problem)? = walk([pipe]).first else {
            Issue.record("a given pipe must be reported")
            return
        }
        #expect(problem.reason == "it is a named pipe")
    }

    @Test func whatIsMissingIsReported() {
        #expect(
            walk(["/nowhere/at/all"]) == [.unreadable("/nowhere/at/all", .init(reason: "No such file or directory"))])
    }

    @Test func kernelFileSystemsAreLeftOut() throws {
        let scratch = try Scratch()
        symlink("/proc", "\(scratch.path)/p")
        #expect(walk([scratch.path]) == [.skipped("\(scratch.path)/p", "proc file system")])
    }

    @Test func masksAndExtensions() throws {
        let scratch = try Scratch()
        for name in ["a.LOG", "b.exe", "c", "sub/d.log", "skip/e.exe"] { try scratch.file(name) }
        let kept = walk([scratch.path]) { $0.excluded = [PathMask("*.log"), PathMask("\(scratch.path)/skip*")] }
        #expect(files(kept, below: scratch.path) == ["a.LOG", "b.exe", "c"])
        #expect(
            files(walk([scratch.path]) { $0.extensions = FileSelection.extensions([".EXE"]) }, below: scratch.path)
                == ["b.exe", "skip/e.exe"])
        #expect(
            files(walk([scratch.path]) { $0.excludedExtensions = ["log", "exe"] }, below: scratch.path) == ["c"])
    }

    @Test(arguments: [
        ("*.exe", "/a/b.exe", true), ("*.exe", "/a.exe/b", false), ("/a/*", "/a/b/c", true), ("/a/?", "/a/b", true),
        ("/a/?", "/a/", false), ("*", "/x", true), ("", "/x", false), ("a*b*c", "/aXbYc", true),
        ("a*b*c", "/aXbY", false), ("/path/*.*", "/path/x/y.z", true), ("/other*", "/otherwise/x", true),
    ])
    func masks(_ mask: String, _ path: String, _ matches: Bool) {
        #expect(PathMask(mask).matches(path) == matches)
    }

    @Test func hostileMasksEnd() {
        let mask = PathMask(String(repeating: "*a", count: 200) + "b")
        #expect(!mask.matches("/" + String(repeating: "a", count: 2000)))
    }
}
