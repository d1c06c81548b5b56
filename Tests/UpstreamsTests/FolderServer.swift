import Glibc
import Platform
import Synchronization

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

    private let state = Mutex(State())
    private let socket: Descriptor
    let base: String

    init(_ files: [String: [UInt8]] = [:]) throws {
        socket = Descriptor(owning: Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let raw = socket.raw
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(raw, generic, length) == 0 && listen(raw, 16) == 0 && getsockname(raw, generic, &length) == 0
            }
        }
        guard bound else { throw SystemError("bind") }
        base = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
        state.withLock { $0.files = files }
        try NativeThread { [self] in serve() }.detach()
    }

    deinit { shutdown(socket.raw, Int32(SHUT_RDWR)) }

    func stop() { shutdown(socket.raw, Int32(SHUT_RDWR)) }

    subscript(path: String) -> [UInt8]? {
        get { state.withLock { $0.files[path] } }
        set { state.withLock { $0.files[path] = newValue } }
    }

    func refuse(_ path: String, _ line: String?) { state.withLock { $0.refusals[path] = line } }
    func cut(_ path: String, after count: Int) { state.withLock { $0.cuts[path] = count } }

    /// What was asked for since the last time.
    func takeRequests() -> [Request] {
        state.withLock { state in
            defer { state.requests = [] }
            return state.requests
        }
    }

    private func serve() {
        while true {
            let raw = accept(socket.raw, nil, nil)
            guard raw >= 0 else { return }
            let connection = Descriptor(owning: raw)
            guard let request = read(connection) else { continue }
            send(answer(request), connection)
        }
    }

    private func answer(_ request: Request) -> [UInt8] {
        let (file, refusal, cut) = state.withLock { state -> ([UInt8]?, String?, Int?) in
            state.requests.append(request)
            defer { state.cuts[request.path] = nil }
            return (state.files[request.path], state.refusals[request.path], state.cuts[request.path])
        }
        if let refusal { return head(refusal, 0, []) }
        guard let file else { return head("404 Not Found", 0, []) }
        // FNV-1a: another content has another tag.
        let tag = "\"\(file.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 })\""
        if request.fields["if-none-match"] == tag { return head("304 Not Modified", 0, ["ETag: \(tag)"]) }
        var start = 0
        var end = file.count
        var isPart = false
        if let range = request.fields["range"], request.fields["if-range"] ?? tag == tag {
            let parts = range.dropFirst("bytes=".count).split(separator: "-", omittingEmptySubsequences: false)
            start = min(Int(parts[0]) ?? 0, file.count)
            end = min(Int(parts[1]).map { $0 + 1 } ?? file.count, file.count)
            isPart = true
        }
        var fields = ["ETag: \(tag)"]
        if isPart { fields.append("Content-Range: bytes \(start)-\(end - 1)/\(file.count)") }
        let content = Array(file[start..<end])
        return head(isPart ? "206 Partial Content" : "200 OK", content.count, fields)
            + (cut.map { Array(content.prefix($0)) } ?? content)
    }

    private func head(_ line: String, _ length: Int, _ fields: [String]) -> [UInt8] {
        let lines = ["HTTP/1.1 \(line)", "Content-Length: \(length)", "Connection: close"] + fields
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    private func send(_ bytes: [UInt8], _ connection: Descriptor) {
        bytes.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let count = Glibc.send(
                    connection.raw, bytes.baseAddress?.advanced(by: done), bytes.count - done, Int32(MSG_NOSIGNAL))
                if count <= 0 { break }
                done += count
            }
        }
    }

    private func read(_ connection: Descriptor) -> Request? {
        var text: [UInt8] = []
        var byte: UInt8 = 0
        while !text.suffix(4).elementsEqual(Array("\r\n\r\n".utf8)) {
            guard recv(connection.raw, &byte, 1, 0) == 1, text.count < 65_536 else { return nil }
            text.append(byte)
        }
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\r\n").map(String.init)
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { fields[parts[0].lowercased()] = String(parts[1].drop { $0 == " " }) }
        }
        let path = lines.first.map { String($0.split(separator: " ")[1].dropFirst()) } ?? ""
        return Request(path: path, fields: fields)
    }
}
