import Synchronization
import WebServer

/// A web server over a folder of files in memory, with ETags, ranges and faults that a test asks for.
final class FolderServer: Sendable {
    struct Request: Sendable, Equatable {
        let path: String
        let fields: [String: String]
    }

    private struct State {
        var files: [String: [UInt8]] = [:]
        var requests: [Request] = []
        /// Answers in place of a file, by path: a status line.
        var refusals: [String: String] = [:]
        /// Connections are cut after so many bytes of content, by path; once.
        var cuts: [String: Int] = [:]
    }

    private let state: Served
    private let server: ScriptedServer
    var base: String { server.base }

    private final class Served: Sendable {
        let state: Mutex<State>
        init(_ files: [String: [UInt8]]) { state = Mutex(State(files: files)) }
    }

    init(_ files: [String: [UInt8]] = [:]) throws {
        let served = Served(files)
        state = served
        server = try ScriptedServer { request, _ in
            Self.answer(Request(path: String(request.path.dropFirst()), fields: request.fields), served)
        }
    }

    deinit { stop() }

    func stop() { server.stop() }

    subscript(path: String) -> [UInt8]? {
        get { state.state.withLock { $0.files[path] } }
        set { state.state.withLock { $0.files[path] = newValue } }
    }

    func refuse(_ path: String, _ line: String?) { state.state.withLock { $0.refusals[path] = line } }
    func cut(_ path: String, after count: Int) { state.state.withLock { $0.cuts[path] = count } }

    /// What was asked for since the last time.
    func takeRequests() -> [Request] {
        state.state.withLock { state in
            defer { state.requests = [] }
            return state.requests
        }
    }

    private static func answer(_ request: Request, _ served: Served) -> ScriptedServer.Answer {
        let (file, refusal, cut) = served.state.withLock { state -> ([UInt8]?, String?, Int?) in
            state.requests.append(request)
            defer { state.cuts[request.path] = nil }
            return (state.files[request.path], state.refusals[request.path], state.cuts[request.path])
        }
        if let refusal { return ScriptedServer.Answer(refusal) }
        guard let file else { return ScriptedServer.Answer("404 Not Found") }
        // FNV-1a: another content has another tag.
        let tag = "\"\(file.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 })\""
        if request.fields["if-none-match"] == tag { return ScriptedServer.Answer("304 Not Modified", ["ETag": tag]) }
        var start = 0
        var end = file.count
        var isPart = false
        if let range = request.fields["range"], request.fields["if-range"] ?? tag == tag {
            let parts = range.dropFirst("bytes=".count).split(separator: "-", omittingEmptySubsequences: false)
            start = min(Int(parts[0]) ?? 0, file.count)
            end = min(Int(parts[1]).map { $0 + 1 } ?? file.count, file.count)
            isPart = true
        }
        var fields = ["ETag": tag]
        if isPart { fields["Content-Range"] = "bytes \(start)-\(end - 1)/\(file.count)" }
        let content = Array(file[start..<end])
        return ScriptedServer.Answer(
            isPart ? "206 Partial Content" : "200 OK", fields, cut.map { Array(content.prefix($0)) } ?? content,
            announced: content.count)
    }
}
