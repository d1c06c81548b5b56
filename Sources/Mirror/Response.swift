import CMicrohttpd
import Platform

/// A response of libmicrohttpd, made once and sent with any number of requests.
///
/// `@unchecked Sendable`: it does not change after it was made, and the library counts its uses atomically.
final class Response: @unchecked Sendable {
    let status: UInt32
    /// Bytes of content.
    let size: UInt64
    private let raw: OpaquePointer

    private init?(_ status: UInt32, _ size: UInt64, _ raw: OpaquePointer?, _ headers: [(String, String)]) {
        guard let raw else { return nil }
        self.status = status
        self.size = size
        self.raw = raw
        for (name, value) in headers { CMicrohttpd_add_header(raw, name, value) }
    }

    /// With a copy of these bytes; nil without memory.
    static func bytes(_ status: UInt32, _ content: [UInt8], _ headers: [(String, String)]) -> Response? {
        Response(status, UInt64(content.count), CMicrohttpd_response_bytes(content, UInt64(content.count)), headers)
    }

    /// With a part of a file; nil without memory or descriptors.
    static func file(
        _ status: UInt32, _ file: Descriptor, first: UInt64, count: UInt64, _ headers: [(String, String)]
    ) -> Response? {
        Response(status, count, CMicrohttpd_response_file(file.raw, first, count), headers)
    }

    /// A short answer in plain text.
    static func text(_ status: UInt32, _ reason: String, _ headers: [(String, String)] = []) -> Response? {
        // The next moment the answer may be another: no cache may keep this one.
        bytes(
            status, Array("\(status) \(reason)\n".utf8),
            [("Content-Type", "text/plain"), ("Cache-Control", "no-store")] + headers)
    }

    deinit {
        CMicrohttpd_release(raw)
    }

    /// Answers a request with it, or with its head alone under another status.
    fileprivate func send(_ connection: OpaquePointer, _ status: UInt32) -> Bool {
        CMicrohttpd_queue(connection, status, raw) == 1
    }
}

/// How one request is answered.
struct Answer {
    let response: Response
    let status: UInt32
    /// Bytes of content that are sent.
    let size: UInt64

    init(_ response: Response) {
        (self.response, status, size) = (response, response.status, response.size)
    }

    private init(_ response: Response, _ status: UInt32) {
        (self.response, self.status, size) = (response, status, 0)
    }

    /// 304: the head of the answer that the client has already, its length included (RFC 9110 §8.6).
    static func notModified(_ response: Response) -> Answer { Answer(response, 304) }

    /// As it is for HEAD.
    var withoutContent: Answer { Answer(response, status) }

    func send(_ connection: OpaquePointer) -> Bool { response.send(connection, status) }
}
