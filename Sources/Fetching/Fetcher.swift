import CCurl
import Glibc
import Platform

/// Fetches one thing after another over HTTP, keeping connections open between them. One thread uses it.
///
/// Redirects are followed five times at most, never from https to http and never to another scheme; credentials stay
/// with the server that they are for.
package final class Fetcher {
    /// Content of an answer; false stops the transfer.
    package typealias Sink = (UnsafeRawBufferPointer) -> Bool

    private let settings: NetworkSettings
    private let handle: OpaquePointer?
    /// Bytes of content that came since this was made, thrown away ones too.
    package private(set) var received = 0
    /// Requests that were sent.
    package private(set) var requests = 0
    /// Called now and then during transfers; false stops.
    package var tick: () -> Bool = { true }

    package init(_ settings: NetworkSettings) {
        self.settings = settings
        handle = CCurl_new()
    }

    deinit {
        CCurl_free(handle)
    }

    /// The whole content of a small file; nil when the server has no such file.
    ///
    /// - Parameter isGuess: the file need not be there. Object stores that do not let everybody list what they have
    ///   answer 403 for what they have not.
    package func bytes(
        _ address: String, limit: Int, credentials: Credentials? = nil, isGuess: Bool = false
    ) throws(FetchError) -> [UInt8]? {
        var request = FetchRequest(address, limit: limit, credentials: credentials)
        // Whoever sends a little file drop by drop holds up the whole update.
        request.totalTime = settings.timeout * 2
        var content: [UInt8] = []
        do throws(FetchError) {
            _ = try fetch(request) { bytes in
                content.append(contentsOf: bytes)
                return true
            }
            return content
        } catch {
            if error.kind == .missing || isGuess && error.status == 403 { return nil }
            throw error
        }
    }

    /// Fetches; the content of an answer 200 or 206 goes to the sink.
    ///
    /// - Parameter begin: called with the header before any content; false stops.
    /// - Throws: for every answer but 200, 206 and 304. What the sink took before is incomplete then.
    package func fetch(
        _ request: FetchRequest, begin: @escaping (FetchResponse) -> Bool = { _ in true }, _ sink: @escaping Sink
    ) throws(FetchError) -> FetchResponse {
        guard let address = WebAddress(request.address) else {
            throw FetchError(.address, "\(request.address): not an address like http://server/path")
        }
        if address.scheme == .file {
            guard settings.allowsFiles else {
                throw FetchError(.address, "\(request.address): files are not fetched from here")
            }
            requests += 1
            return try FolderFetch.fetch(request, address.path, begin: begin) { bytes in
                self.received += bytes.count
                return sink(bytes) && self.tick()
            }
        }
        guard let handle else { throw FetchError(.files, "libcurl cannot be used: there is no memory") }
        let transfer = Transfer(limit: request.first ?? request.limit, begin: begin, sink: sink, tick: tick)
        transfer.isPrefix = request.first != nil
        var result = CCurl_result()
        requests += 1
        perform(handle, request, address, transfer, &result)
        received += transfer.received
        return try judge(request, transfer, result)
    }

    // MARK: - The transfer

    private func perform(
        _ handle: OpaquePointer, _ request: FetchRequest, _ address: WebAddress, _ transfer: Transfer,
        _ result: inout CCurl_result
    ) {
        let strings = CStrings()
        var raw = CCurl_request()
        raw.url = strings.keep(request.address)
        raw.protocols = strings.keep("http,https")
        raw.redirect_protocols = strings.keep(address.scheme == .https ? "https" : "http,https")
        raw.agent = strings.keep(settings.agent)
        if let credentials = request.credentials, !credentials.user.isEmpty {
            raw.user = strings.keep(credentials.user)
            raw.password = strings.keep(credentials.password)
        }
        if let proxy = settings.proxy, !proxy.isEmpty {
            raw.proxy = strings.keep("http://\(proxy)")
            if !settings.proxyUser.isEmpty {
                raw.proxy_user = strings.keep(settings.proxyUser)
                raw.proxy_password = strings.keep(settings.proxyPassword)
            }
        }
        if let authorities = settings.authorities { raw.authorities = strings.keep(authorities) }
        raw.connect_time = settings.timeout
        raw.stalled_time = settings.timeout
        raw.stalled_speed = settings.rate > 0 ? min(100, settings.rate) : 100
        raw.total_time = request.totalTime
        raw.rate = Int64(settings.rate)
        raw.context = Unmanaged.passUnretained(transfer).toOpaque()
        raw.header = { context, bytes, count in Transfer.of(context)?.header(bytes, count) ?? 0 }
        raw.body = { context, bytes, count in Transfer.of(context)?.body(bytes, count) ?? 0 }
        raw.tick = { context in Transfer.of(context)?.isGoingOn() ?? 0 }
        let headers = Self.headers(of: request).map { strings.keep($0) as UnsafePointer<CChar>? }
        headers.withUnsafeBufferPointer { lines in
            raw.headers = lines.baseAddress
            raw.header_count = lines.count
            CCurl_perform(handle, &raw, &result)
        }
        withExtendedLifetime((strings, transfer)) {}
    }

    static func headers(of request: FetchRequest) -> [String] {
        var lines: [String] = []
        if let (offset, version) = request.resume, offset > 0 {
            lines.append("Range: bytes=\(offset)-")
            if let strong = version?.strong { lines.append("If-Range: \(strong)") }
        } else if let first = request.first {
            lines.append("Range: bytes=0-\(max(1, first) - 1)")
        }
        if let known = request.unless {
            if let tag = known.tag { lines.append("If-None-Match: \(tag)") }
            if let modified = known.modified { lines.append("If-Modified-Since: \(modified)") }
        }
        return lines
    }

    private func judge(
        _ request: FetchRequest, _ transfer: Transfer, _ result: CCurl_result
    ) throws(FetchError) -> FetchResponse {
        let response = transfer.answer.response
        func error(_ kind: FetchError.Kind, _ text: String) -> FetchError {
            FetchError(
                kind, "\(request.address): \(text)", retryAfter: response.retryAfter,
                status: response.status > 0 ? response.status : nil)
        }
        switch transfer.stop {
        case .tooLarge: throw error(.tooLarge, "longer than the \(transfer.limit) bytes that it may have")
        case .sink: throw error(.files, "stopped: what comes cannot be taken")
        // The first bytes were wanted, and the server knows no ranges.
        case .enough: return response
        case .none: break
        }
        switch response.status {
        case 200, 206, 304:
            if result.code == 0 { return response }
        case 401, 403:
            throw error(.credentials, "the server refuses (status \(response.status)); see av_update_username")
        case 407: throw error(.credentials, "the proxy refuses (status 407); see proxy_username")
        case 404, 410: throw error(.missing, "the server has no such file (status \(response.status))")
        case 429, 503:
            let wait = response.retryAfter.map { ", again in \($0) s" } ?? ""
            throw error(.busy, "the server wants fewer requests (status \(response.status)\(wait))")
        case 500...599: throw error(.network, "the server has a problem (status \(response.status))")
        case 100...999: throw error(.status, "status \(response.status)")
        default: break
        }
        let text = withUnsafeBytes(of: result.text) { raw in
            String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
        }
        throw error(.network, text.isEmpty ? "no answer" : text)
    }
}

/// C strings that live as long as this.
private final class CStrings {
    private var owned: [UnsafeMutablePointer<CChar>] = []

    func keep(_ text: String) -> UnsafePointer<CChar>? {
        guard let copy = strdup(text) else { return nil }
        owned.append(copy)
        return UnsafePointer(copy)
    }

    deinit {
        for text in owned { free(text) }
    }
}

/// What libcurl calls during one transfer.
private final class Transfer {
    enum Stop { case tooLarge, sink, enough }

    let limit: Int
    private let begin: (FetchResponse) -> Bool
    private let sink: Fetcher.Sink
    private let tick: () -> Bool
    var answer = ResponseHeader(now: Int64(Clock.realtime / 1_000_000_000))
    private(set) var stop: Stop?
    private(set) var received = 0
    private var taken = 0
    private var hasBegun = false
    /// Of content that is not wanted, such as the page of an error.
    private static let wasteLimit = 1 << 16

    init(limit: Int, begin: @escaping (FetchResponse) -> Bool, sink: @escaping Fetcher.Sink, tick: @escaping () -> Bool)
    {
        self.limit = limit
        self.begin = begin
        self.sink = sink
        self.tick = tick
    }

    static func of(_ context: UnsafeMutableRawPointer?) -> Transfer? {
        context.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }

    func header(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
        answer.add(UnsafeBufferPointer(start: bytes, count: count))
        return 1
    }

    func body(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
        received += count
        let response = answer.response
        guard response.status == 200 || response.status == 206 else { return received < Self.wasteLimit ? 1 : 0 }
        if !hasBegun {
            hasBegun = true
            // A part is as long as it says; whole content that is announced longer need not begin.
            if let length = response.length, length > limit, response.status == 200, !isPrefix { return end(.tooLarge) }
            guard begin(response) else { return end(.sink) }
        }
        if isPrefix, response.length.map({ $0 > limit }) ?? true, taken + count >= limit {
            let rest = UnsafeRawBufferPointer(start: bytes, count: limit - taken)
            taken = limit
            return sink(rest) ? end(.enough) : end(.sink)
        }
        taken += count
        guard taken <= limit else { return end(.tooLarge) }
        return sink(UnsafeRawBufferPointer(start: bytes, count: count)) ? 1 : end(.sink)
    }

    /// Only the first bytes are wanted.
    var isPrefix = false

    func isGoingOn() -> Int32 { tick() ? 1 : end(.sink) }

    private func end(_ reason: Stop) -> Int32 {
        stop = reason
        return 0
    }
}
