import Bytes
import Glibc
import Platform
import Synchronization

/// One version of a file of the mirror, with the answers that were made for it. It stays as it was opened, also when
/// another file takes the name.
final class StoredFile: Sendable {
    /// Files up to this size are kept in memory while they are asked for, and sent together with the head.
    static let inMemory: UInt64 = 65_536
    /// Texts of these sizes are compressed for those who take it; longer ones would hold up a thread.
    private static let compressible: ClosedRange<UInt64> = 256...(4 << 20)
    /// A file that changed less than this ago, in nanoseconds, may change again under the same date: its tag is weak.
    private static let settled: Int64 = 2_000_000_000

    let size: UInt64
    /// Seconds since 1970.
    let modified: Int64
    let tag: EntityTag
    let kind: FileKind
    /// In memory, for bounding the cache.
    let footprint: Int
    /// The same tag for the compressed representation.
    let gzipTag: EntityTag
    private let identity: [UInt64]
    private let file: Descriptor
    /// Over HTTPS a response of a file cannot be shared: it holds what is read next.
    private let sharesFiles: Bool
    private let answers: Mutex<Answers>

    private struct Answers {
        var whole: Response?
        var gzip = Compressed.unknown
    }

    private enum Compressed {
        case unknown
        case underWay
        case useless
        case ready(Response)
    }

    /// - Parameters:
    ///   - path: as `RequestTarget.path` gives it.
    ///   - now: nanoseconds since 1970.
    init(path: [UInt8], file: Descriptor, status: stat, sharesFiles: Bool, now: UInt64) {
        self.file = file
        self.sharesFiles = sharesFiles
        kind = FileKind(path: path)
        size = UInt64(max(0, status.st_size))
        modified = Int64(status.st_mtim.tv_sec)
        identity = StoredFile.identity(status)
        // The tag that nginx gives the same file, so that one may stand in for the other in the middle of a download.
        let opaque = "\(String(modified, radix: 16))-\(String(size, radix: 16))"
        let age = Int64(clamping: now) &- (modified &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec))
        let isWeak = age < StoredFile.settled
        tag = EntityTag(isWeak: isWeak, opaque: Array(opaque.utf8))
        gzipTag = EntityTag(isWeak: isWeak, opaque: Array("\(opaque)-gz".utf8))
        footprint = size <= StoredFile.inMemory ? Int(size) : 0
        answers = Mutex(Answers())
    }

    /// Whether what was opened now is still this version, with a tag that still fits.
    func isStill(_ status: stat, now: UInt64) -> Bool {
        identity == StoredFile.identity(status) && !tag.isWeak
    }

    private static func identity(_ status: stat) -> [UInt64] {
        [
            UInt64(status.st_dev), UInt64(status.st_ino), UInt64(bitPattern: Int64(status.st_size)),
            UInt64(bitPattern: Int64(status.st_mtim.tv_sec)), UInt64(bitPattern: Int64(status.st_mtim.tv_nsec)),
            UInt64(bitPattern: Int64(status.st_ctim.tv_sec)), UInt64(bitPattern: Int64(status.st_ctim.tv_nsec)),
        ]
    }

    // MARK: - Answers; nil without memory or descriptors

    /// 200 with everything.
    func whole() -> Response? {
        guard sharesFiles || size <= StoredFile.inMemory else { return makeWhole() }
        return answers.withLock { answers in
            if answers.whole == nil { answers.whole = makeWhole() }
            return answers.whole
        }
    }

    private func makeWhole() -> Response? {
        let headers = self.headers(tag, isGzip: false)
        guard size <= StoredFile.inMemory else { return .file(200, file, first: 0, count: size, headers) }
        guard let content else { return nil }
        return .bytes(200, content, headers)
    }

    /// 200 with everything in gzip format; nil also when that is not worth it, or is being made just now.
    func gzip() -> Response? {
        guard kind.isCompressible, StoredFile.compressible.contains(size) else { return nil }
        let isMine = answers.withLock { answers in
            guard case .unknown = answers.gzip else { return false }
            answers.gzip = .underWay
            return true
        }
        if isMine {
            let made = content.flatMap(ContentCoding.gzip).flatMap { Response.bytes(200, $0, gzipHeaders) }
            answers.withLock { $0.gzip = made.map { .ready($0) } ?? .useless }
        }
        return answers.withLock { answers in
            if case .ready(let response) = answers.gzip { response } else { nil }
        }
    }

    /// 206
    func part(first: UInt64, count: UInt64) -> Response? {
        let range = ("Content-Range", "bytes \(first)-\(first + count - 1)/\(size)")
        return .file(206, file, first: first, count: count, headers(tag, isGzip: false) + [range])
    }

    /// 416
    func unsatisfiable() -> Response? {
        .text(416, "Range Not Satisfiable", [("Content-Range", "bytes */\(size)")])
    }

    private var content: [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: Int(size))
        let count = bytes.withUnsafeMutableBytes { try? file.read(at: 0, into: $0) }
        return count == bytes.count ? bytes : nil
    }

    // MARK: - Headers

    private func headers(_ tag: EntityTag, isGzip: Bool) -> [(String, String)] {
        var headers = [
            ("Content-Type", kind.mediaType), ("Last-Modified", HTTPDate.text(modified)), ("ETag", tag.text),
            ("Cache-Control", kind.isImmutable ? "public, max-age=31536000, immutable" : "public, no-cache"),
        ]
        if !isGzip { headers.append(("Accept-Ranges", "bytes")) }
        if kind.isCompressible { headers.append(("Vary", "Accept-Encoding")) }
        return headers
    }

    private var gzipHeaders: [(String, String)] { headers(gzipTag, isGzip: true) + [("Content-Encoding", "gzip")] }
}
