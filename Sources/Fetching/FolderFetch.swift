import Glibc
import Platform

/// Answers requests from a folder the way a web server would, for updates without a network.
enum FolderFetch {
    static func fetch(
        _ request: FetchRequest, _ path: String, begin: (FetchResponse) -> Bool, _ sink: Fetcher.Sink
    ) throws(FetchError) -> FetchResponse {
        let path = decoded(path)
        do throws(SystemError) {
            // O_NONBLOCK: opening a named pipe must not wait for a writer.
            let file = try Descriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
            let status = try file.status()
            guard status.st_mode & S_IFMT == S_IFREG else { throw SystemError("open", path, code: ENOENT) }
            let size = Int(max(0, status.st_size))
            var response = FetchResponse()
            response.validators = Validators(
                tag: "\"\(size)-\(status.st_mtim.tv_sec)-\(status.st_mtim.tv_nsec)\"",
                modified: HTTPDate.text(Int64(status.st_mtim.tv_sec)))
            if let known = request.unless?.tag, known == response.validators.tag {
                response.status = 304
                return response
            }
            var offset = 0
            if let (start, version) = request.resume, start <= size,
                version == nil || version?.strong == response.validators.tag
            {
                offset = start
            }
            response.status = offset > 0 ? 206 : 200
            response.rangeStart = offset > 0 ? offset : nil
            response.rangeTotal = offset > 0 ? size : nil
            response.length = size - offset
            let wanted = min(request.first ?? .max, size - offset)
            guard wanted <= request.limit else {
                throw SystemError("read", path, code: EFBIG)
            }
            guard begin(response) else { throw SystemError("read", path, code: ECANCELED) }
            let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
            defer { chunk.deallocate() }
            var done = 0
            while done < wanted {
                let part = UnsafeMutableRawBufferPointer(rebasing: chunk[..<min(chunk.count, wanted - done)])
                let count = try file.read(at: UInt64(offset + done), into: part)
                guard count > 0 else { throw SystemError("read", path, code: EIO) }
                guard sink(UnsafeRawBufferPointer(rebasing: part[..<count])) else {
                    throw SystemError("read", path, code: ECANCELED)
                }
                done += count
            }
            return response
        } catch {
            switch error.code {
            case ENOENT, ENOTDIR: throw FetchError(.missing, "\(path): there is no such file")
            case EFBIG: throw FetchError(.tooLarge, "\(path): longer than the \(request.limit) bytes that it may have")
            case ECANCELED: throw FetchError(.files, "\(path): stopped: what comes cannot be taken")
            default: throw FetchError(.network, "\(path): \(error.reason)")
            }
        }
    }

    /// Without %XX.
    private static func decoded(_ path: String) -> String {
        let bytes = Array(path.utf8)
        var result: [UInt8] = []
        var at = 0
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "%"), at + 2 < bytes.count, let high = digit(bytes[at + 1]),
                let low = digit(bytes[at + 2])
            {
                result.append(high << 4 | low)
                at += 3
            } else {
                result.append(bytes[at])
                at += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        if byte &- 0x30 < 10 { return byte &- 0x30 }
        let letter = (byte | 0x20) &- 0x61
        return letter < 6 ? letter + 10 : nil
    }
}
