import Bytes
import Glibc
import Platform
import Synchronization

/// One line for each request in the combined log format, as other web servers write it. Lines are collected, and written
/// each second or when there are many.
final class AccessLog: Sendable {
    /// Bytes that are collected at most.
    private static let batch = 65_536

    let path: String
    private let state: Mutex<State>

    private struct State {
        var file: Descriptor
        var lines: [UInt8] = []
        var second: Int64 = -1
        var date: [UInt8] = []
        /// Lines that could not be written.
        var lost: UInt64 = 0
    }

    init(path: String) throws(SystemError) {
        self.path = path
        state = Mutex(State(file: try AccessLog.open(path)))
    }

    /// What answers wrote that ended after the log was replaced.
    deinit {
        _ = flush()
    }

    private static func open(_ path: String) throws(SystemError) -> Descriptor {
        try Descriptor.open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, mode: 0o640)
    }

    struct Line {
        let address: String
        let method: ByteView
        let target: ByteView
        let version: ByteView
        let referer: ByteView
        let agent: ByteView
    }

    /// What of a line is known when the request comes; the bytes of it do not live longer.
    static func head(_ line: Line) -> (address: String, request: [UInt8], rest: [UInt8]) {
        var request: [UInt8] = []
        quote(line.method, &request)
        request.append(0x20)
        quote(line.target, &request)
        request.append(0x20)
        quote(line.version, &request)
        var rest = Array(" \"".utf8)
        quote(line.referer, &rest)
        rest += Array("\" \"".utf8)
        quote(line.agent, &rest)
        rest += Array("\"\n".utf8)
        return (line.address, request, rest)
    }

    /// - Parameters:
    ///   - began: seconds since 1970.
    ///   - bytes: of content that were sent.
    func write(
        _ head: (address: String, request: [UInt8], rest: [UInt8]), began: Int64, status: UInt32, bytes: UInt64
    ) {
        state.withLock { state in
            if state.second != began {
                state.second = began
                state.date = Array(AccessLog.date(began).utf8)
            }
            state.lines += Array(head.address.utf8)
            state.lines += Array(" - - [".utf8)
            state.lines += state.date
            state.lines += Array("] \"".utf8)
            state.lines += head.request
            state.lines += Array("\" \(status) \(bytes)".utf8)
            state.lines += head.rest
            if state.lines.count >= AccessLog.batch { AccessLog.flush(&state) }
        }
    }

    /// Writes what was collected. The number of lines that were lost since the last call, because the disk is full for
    /// example.
    func flush() -> UInt64 {
        state.withLock { state in
            AccessLog.flush(&state)
            defer { state.lost = 0 }
            return state.lost
        }
    }

    private static func flush(_ state: inout State) {
        guard !state.lines.isEmpty else { return }
        do throws(SystemError) { try state.file.writeAll(state.lines) } catch {
            state.lost += UInt64(state.lines.count { $0 == 0x0A })
        }
        state.lines.removeAll(keepingCapacity: true)
    }

    /// "21/Nov/2026:16:00:00 +0000"
    static func date(_ seconds: Int64) -> String {
        let (year, month, day) = HTTPDate.civil(days: seconds / 86_400)
        return "\(HTTPDate.two(day))/\(HTTPDate.months[month - 1])/\(year):\(HTTPDate.time(seconds)) +0000"
    }

    /// "-" for nothing; quotes, backslashes and what is no printable ASCII as \xHH.
    static func quote(_ text: ByteView, _ line: inout [UInt8]) {
        let digits = Array("0123456789ABCDEF".utf8)
        guard !text.isEmpty else { return line.append(UInt8(ascii: "-")) }
        for byte in text.prefix(4_096).buffer {
            if byte >= 0x20, byte < 0x7F, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
                line.append(byte)
            } else {
                line += [UInt8(ascii: "\\"), UInt8(ascii: "x"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
    }
}
