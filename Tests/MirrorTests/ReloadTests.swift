import Glibc
import Platform
import Synchronization
import Testing

@testable import Mirror

@Suite struct ReloadTests {
    private func settings(_ mirror: TestMirror, _ change: (inout MirrorSettings) -> Void = { _ in }) -> MirrorSettings {
        var settings = MirrorSettings()
        settings.directory = mirror.directory
        settings.threads = 2
        change(&settings)
        return settings
    }

    private final class Course: Sendable {
        let isOver = Atomic<Bool>(false)
        let answered = Atomic<Int>(0)
        let wrong = Atomic<Int>(0)
    }

    @Test func nothingBreaksWhileClientsComeAndGo() throws {
        let mirror = try TestMirror()
        try mirror.put("a", "content")
        let course = Course()
        let port = mirror.port
        let clients = try (0..<4).map { _ in
            try NativeThread {
                while !course.isOver.load(ordering: .relaxed) {
                    // One that was just cut as idle gets no answer, which is no answer of another kind.
                    guard let client = try? TestClient(port: port) else { continue }
                    client.send(request("/a", ["Connection: close"]))
                    guard let reply = client.reply() else { continue }
                    if reply.status == 200 {
                        course.answered.wrappingAdd(1, ordering: .relaxed)
                    } else {
                        course.wrong.wrappingAdd(1, ordering: .relaxed)
                    }
                }
            }
        }
        for _ in 0..<100 { try mirror.server.reload(settings(mirror)) }
        course.isOver.store(true, ordering: .relaxed)
        for client in clients { client.join() }
        #expect(course.wrong.load(ordering: .relaxed) == 0)
        #expect(try mirror.get("/a").content == "content")
        try mirror.end()
    }

    @Test func whoeverComesWhenItIsFullWaits() throws {
        let mirror = try TestMirror {
            $0.maximumConnections = 4
            $0.clientConnections = 0
        }
        try mirror.put("a", "content")
        var first: [TestClient] = try (0..<4).map { _ in try mirror.connect() }
        for client in first {
            client.send(request("/a"))
            #expect(client.reply()?.status == 200)
        }
        #expect(mirror.server.connections == 4)
        let waiting = try mirror.connect()
        waiting.send(request("/a"))
        // Nothing of it is taken: the four are all there are.
        #expect(mirror.server.connections == 4)
        first = []
        #expect(waiting.reply()?.content == "content")
        try mirror.end()
    }

    @Test func anAnswerThatWasBegunIsFinishedByTheOldServer() throws {
        let mirror = try TestMirror()
        let content = String(repeating: "0123456789abcdef", count: 1 << 19)
        try mirror.put("large", content)
        let client = try mirror.connect()
        client.send(request("/large"))
        try mirror.server.reload(settings(mirror))
        #expect(client.reply()?.content == content)
        try mirror.end()
    }
}
