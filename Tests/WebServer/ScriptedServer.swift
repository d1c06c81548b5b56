import Glibc
import Platform
import Synchronization

/// A web server on 127.0.0.1 whose answers a test writes: bytes as they go over the wire.
package final class ScriptedServer: Sendable {
    package struct Request: Sendable {
        package let line: String
        /// Names in small letters.
        package let fields: [String: String]
        package var path: String { String(line.split(separator: " ")[1]) }
        package var method: String { String(line.split(separator: " ")[0]) }
    }

    package struct Answer: Sendable {
        package var bytes: [UInt8]
        /// Wait so long before the connection ends.
        package var milliseconds: UInt32 = 0
        /// Bytes that go at once, with a pause of milliseconds after each of them; 0: all.
        package var step = 0
        package var pause: UInt32 = 0

        /// - Parameter announced: the length that the header tells; that of the body unless given.
        package init(
            _ status: String, _ fields: [String: String] = [:], _ body: [UInt8] = [], announced: Int? = nil
        ) {
            var head = "HTTP/1.1 \(status)\r\nContent-Length: \(announced ?? body.count)\r\nConnection: close\r\n"
            for (name, value) in fields { head += "\(name): \(value)\r\n" }
            bytes = Array((head + "\r\n").utf8) + body
        }
    }

    package let port: UInt16
    private let socket: Descriptor
    private let state = Mutex<[Request]>([])

    package var requests: [Request] { state.withLock { $0 } }
    package var base: String { "http://127.0.0.1:\(port)" }

    /// - Parameter answer: gets the request and its number, from 1.
    package init(_ answer: @escaping @Sendable (Request, Int) -> Answer) throws {
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
        port = UInt16(bigEndian: address.sin_port)
        try NativeThread { [self] in serve(answer) }.detach()
    }

    /// Ends it; until then its thread keeps it.
    package func stop() { shutdown(socket.raw, Int32(SHUT_RDWR)) }

    private func serve(_ answer: (Request, Int) -> Answer) {
        while true {
            let raw = accept(socket.raw, nil, nil)
            guard raw >= 0 else { return }
            let connection = Descriptor(owning: raw)
            guard let request = read(connection) else { continue }
            let number = state.withLock { list in
                list.append(request)
                return list.count
            }
            let reply = answer(request, number)
            reply.bytes.withUnsafeBytes { bytes in
                var done = 0
                while done < bytes.count {
                    let next = reply.step > 0 ? min(reply.step, bytes.count - done) : bytes.count - done
                    let count = send(
                        connection.raw, bytes.baseAddress?.advanced(by: done), next, Int32(MSG_NOSIGNAL))
                    if count <= 0 { break }
                    done += count
                    usleep(reply.pause * 1000)
                }
            }
            usleep(reply.milliseconds * 1000)
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
        return Request(line: lines.first ?? "", fields: fields)
    }
}
