import CCrypto
import Glibc
package import Platform

/// Fetches a file to a path, going on where an earlier attempt stopped.
///
///     PATH.part    what came so far
///     PATH.note    how much of it is on the disk for certain, and of which version
///
/// A part is used only up to what the note says, so that a power failure cannot leave a gap in it. Without the digest of
/// the whole, the server must say that the version is the same (If-Range).
package struct Download {
    package let path: String
    package let address: String
    package let credentials: Credentials?
    package let limit: Int
    /// Lower-case hexadecimal SHA-256 of the file, when it is known: any version with another one is damaged.
    package var digest: String?
    /// Its size, when that is known.
    package var size: Int?
    /// Ask only for what changed since.
    package var unless: Validators?

    package init(_ address: String, to path: String, limit: Int, credentials: Credentials? = nil) {
        self.address = address
        self.path = path
        self.limit = limit
        self.credentials = credentials
    }

    package enum Outcome: Sendable, Equatable {
        case notModified
        /// It is at `path`, flushed to the disk.
        case complete(Validators)
    }

    /// How often it is written down how far the part is.
    private static let step = 16 << 20

    private var part: String { "\(path).part" }
    private var note: String { "\(path).note" }

    /// Fetches.
    ///
    /// - Parameter progress: bytes that are there and in all, as far as known.
    package func run(_ fetcher: Fetcher, progress: @escaping (Int, Int?) -> Void = { _, _ in }) throws(FetchError)
        -> Outcome
    {
        do throws(FetchError) {
            return try attempt(fetcher, DownloadNote(read: note), progress)
        } catch {
            // What an earlier attempt left may be the reason: once from the beginning.
            guard error.kind == .damaged || error.kind == .status, Files.exists(note) || Files.exists(part) else {
                throw error
            }
            discard()
            return try attempt(fetcher, nil, progress)
        }
    }

    /// Removes what is incomplete.
    package func discard() {
        unlink(part)
        unlink(note)
    }

    private func attempt(
        _ fetcher: Fetcher, _ earlier: DownloadNote?, _ progress: @escaping (Int, Int?) -> Void
    ) throws(FetchError) -> Outcome {
        var request = FetchRequest(address, limit: limit, credentials: credentials)
        let writer: PartWriter
        do throws(SystemError) {
            writer = try PartWriter(part: part, note: note, address: address, step: Self.step)
            if let earlier, let offset = usable(earlier, writer), offset > 0 {
                try writer.goOn(at: offset, of: earlier.validators)
                request.resume = (offset, digest == nil ? earlier.validators : nil)
            } else {
                try writer.startOver(Validators())
                request.unless = unless
            }
        } catch {
            throw FetchError(.files, error.description)
        }
        let resumed = request.resume?.offset ?? 0
        if resumed > 0, let size, resumed == size { return try finish(writer, writer.validators) }
        var isTooLarge = false
        do throws(FetchError) {
            let response = try fetcher.fetch(
                request,
                begin: { response in
                    if response.status == 206, response.rangeStart != resumed { return false }
                    writer.announced = response.rangeTotal ?? (response.status == 200 ? response.length : nil)
                    // Anything else than a rest replaces the part.
                    return response.status == 206 && resumed > 0
                        ? true : writer.attempt { () throws(SystemError) in try writer.startOver(response.validators) }
                },
                { bytes in
                    guard writer.offset + bytes.count <= limit else {
                        isTooLarge = true
                        return false
                    }
                    let isWritten = writer.attempt { () throws(SystemError) in try writer.append(bytes) }
                    progress(writer.offset, size ?? writer.announced)
                    return isWritten
                })
            if response.isNotModified {
                discard()
                return .notModified
            }
            // An empty file has no first bytes that would begin it.
            if writer.offset == 0 { writer.validators = response.validators }
        } catch {
            // What came is kept for the next attempt.
            try? writer.checkpoint()
            if let failure = writer.failure { throw FetchError(.files, failure.description) }
            if isTooLarge { throw FetchError(.tooLarge, "\(address): longer than the \(limit) bytes that it may have") }
            if resumed > 0, error.kind == .files {
                throw FetchError(.damaged, "\(address): another part came than was asked for")
            }
            throw error
        }
        if let announced = writer.announced, announced != writer.offset {
            try? writer.checkpoint()
            throw FetchError(.network, "\(address): \(writer.offset) of \(announced) bytes came")
        }
        return try finish(writer, writer.validators)
    }

    /// How much of an earlier attempt counts; nil: nothing.
    private func usable(_ earlier: DownloadNote, _ writer: PartWriter) -> Int? {
        guard earlier.address == address || digest != nil, earlier.length > 0, earlier.length <= limit,
            earlier.length <= writer.size, size.map({ earlier.length <= $0 }) ?? true
        else { return nil }
        // Without a digest only a version that the server names again can be gone on with.
        guard digest != nil || earlier.validators.strong != nil else { return nil }
        return earlier.length
    }

    private func finish(_ writer: PartWriter, _ validators: Validators) throws(FetchError) -> Outcome {
        if let size, writer.offset != size {
            throw FetchError(.damaged, "\(address): \(writer.offset) bytes in place of \(size)")
        }
        do throws(SystemError) {
            try writer.close()
            if let digest {
                let found = try FileDigest.sha256(part)
                guard found == digest else {
                    throw SystemError(
                        "\(address): its SHA-256 is \(found), not \(digest)", code: EBADMSG)
                }
            }
            _ = try checked("rename", path) { rename(part, path) }
            unlink(note)
        } catch {
            if error.code == EBADMSG { throw FetchError(.damaged, error.call) }
            throw FetchError(.files, error.description)
        }
        return .complete(validators)
    }
}

/// SHA-256 of files.
package enum FileDigest {
    /// In lower-case hexadecimal.
    package static func sha256(_ path: String) throws(SystemError) -> String {
        try digest(path, CCRYPTO_SHA256, 32)
    }

    /// In lower-case hexadecimal.
    package static func sha512(_ path: String) throws(SystemError) -> String {
        try digest(path, CCRYPTO_SHA512, 64)
    }

    private static func digest(_ path: String, _ algorithm: Int32, _ count: Int) throws(SystemError) -> String {
        guard let hash = CCrypto_hash_new(algorithm) else { throw SystemError("digest", path, code: ENOMEM) }
        defer { CCrypto_hash_free(hash) }
        let file = try Descriptor.open(path, O_RDONLY | O_NOFOLLOW)
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = try checkedCount("read", path) { Glibc.read(file.raw, &chunk, chunk.count) }
            if count == 0 { break }
            guard CCrypto_hash_update(hash, chunk, count) == 1 else { throw SystemError("digest", path, code: EIO) }
        }
        var result = [UInt8](repeating: 0, count: count)
        guard CCrypto_hash_final(hash, &result) == 1 else { throw SystemError("digest", path, code: EIO) }
        return text(result)
    }

    /// Bytes in lower-case hexadecimal.
    package static func text(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
