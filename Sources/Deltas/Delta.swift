package import Bytes
import CCrypto
import CZstd

/// Makes one file of another and a delta. Pure: bytes in, bytes out.
package enum Delta {
    /// Neither file may be larger: what is looked back at must fit in zstd's window.
    package static let largestFile = 1 << 30
    /// SHA-256 of an empty file, in hexadecimal. A delta from nothing is the whole, compressed.
    package static let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    /// What is looked back at without an old file: more would cost clients memory and save little.
    private static let wholeWindow: UInt8 = 27

    /// Makes a delta.
    ///
    /// - Parameters:
    ///   - level: zstd's, 1 to 22. With lines of signatures 19 takes a hundred times as long as 3 and saves a tenth.
    ///   - sink: takes the delta in pieces; false stops.
    package static func make(
        from old: ByteView, to new: ByteView, level: Int = 3, _ sink: (ByteView) -> Bool
    ) throws(DeltaError) {
        guard old.count <= largestFile, new.count <= largestFile else {
            throw DeltaError(.limit, "deltas are for files of up to \(largestFile) bytes")
        }
        // What is looked back at: the whole old file from anywhere in the new one.
        var window: UInt8 = 20
        while (1 << Int(window)) < old.count + new.count, !old.isEmpty || window < wholeWindow { window += 1 }
        let header = DeltaHeader(
            oldSize: old.count, newSize: new.count, oldDigest: try digest(old), newDigest: try digest(new),
            window: window)
        let isTaken = header.bytes.withUnsafeBufferPointer { sink(ByteView($0)) }
        guard isTaken else { throw DeltaError(.sink, "the delta cannot be written") }
        let result = pass(sink) { context, call in
            CZstd_compress(
                old.base, old.count, new.base, new.count, Int32(level), Int32(window), call, context)
        }
        switch result {
        case CZSTD_OK: return
        case CZSTD_STOPPED: throw DeltaError(.sink, "the delta cannot be written")
        default: throw DeltaError(.limit, "there is no memory for making a delta")
        }
    }

    /// Makes a whole delta in memory, for small files.
    package static func make(from old: [UInt8], to new: [UInt8], level: Int = 3) throws(DeltaError) -> [UInt8] {
        var result: [UInt8] = []
        try old.withUnsafeBufferPointer { old throws(DeltaError) in
            try new.withUnsafeBufferPointer { new throws(DeltaError) in
                try make(from: ByteView(old), to: ByteView(new), level: level) { piece in
                    result.append(contentsOf: piece.buffer)
                    return true
                }
            }
        }
        return result
    }

    /// Applies a delta. What the sink took is good only when this returns.
    ///
    /// - Parameter limit: bytes that the new file may have.
    package static func apply(
        _ delta: ByteView, to old: ByteView, limit: Int, _ sink: (ByteView) -> Bool
    ) throws(DeltaError) {
        let header = try DeltaHeader(delta)
        guard header.newSize <= UInt64(max(0, limit)) else {
            throw DeltaError(.limit, "it makes a file of \(header.newSize) bytes, more than \(limit)")
        }
        guard header.oldSize == UInt64(old.count), header.oldDigest == (try digest(old)) else {
            throw DeltaError(.otherFile, "it was made for another file")
        }
        guard let hash = CCrypto_hash_new(CCRYPTO_SHA256) else { throw DeltaError(.limit, "SHA-256 is not available") }
        defer { CCrypto_hash_free(hash) }
        var isHashed = true
        let body = delta.dropFirst(DeltaHeader.size)
        let result = pass({ piece in
            isHashed = isHashed && CCrypto_hash_update(hash, piece.base, piece.count) == 1
            return sink(piece)
        }) { context, call in
            CZstd_decompress(
                old.base, old.count, body.base, body.count, Int32(header.window), header.newSize, call, context)
        }
        switch result {
        case CZSTD_OK: break
        case CZSTD_STOPPED: throw DeltaError(.sink, "the new file cannot be written")
        case CZSTD_NO_MEMORY: throw DeltaError(.limit, "there is no memory for applying a delta")
        default: throw DeltaError(.malformed, "it is damaged")
        }
        var found = [UInt8](repeating: 0, count: 32)
        guard isHashed, CCrypto_hash_final(hash, &found) == 1, found == header.newDigest else {
            throw DeltaError(.malformed, "it is damaged: what it makes has another SHA-256")
        }
    }

    private static func digest(_ bytes: ByteView) throws(DeltaError) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: 32)
        guard CCrypto_digest(CCRYPTO_SHA256, bytes.base, bytes.count, &result) == 1 else {
            throw DeltaError(.limit, "SHA-256 is not available")
        }
        return result
    }

    /// Lets C call a closure.
    private static func pass(
        _ sink: (ByteView) -> Bool, _ body: (UnsafeMutableRawPointer?, CZstd_sink) -> Int32
    ) -> Int32 {
        withoutActuallyEscaping(sink) { sink in
            var box = Box(sink: sink)
            return withUnsafeMutablePointer(to: &box) { pointer in
                body(UnsafeMutableRawPointer(pointer)) { context, bytes, count in
                    guard let context else { return 0 }
                    let box = context.assumingMemoryBound(to: Box.self)
                    return box.pointee.sink(ByteView(base: bytes, count: count)) ? 1 : 0
                }
            }
        }
    }

    private struct Box {
        let sink: (ByteView) -> Bool
    }

    /// Reads any bytes as a delta for a fixed file. For fuzzing.
    package static func fuzz(_ bytes: ByteView) {
        let old = [UInt8](repeating: 0x41, count: 4096)
        old.withUnsafeBufferPointer { old in
            var made = 0
            try? apply(bytes, to: ByteView(old), limit: 1 << 20) { piece in
                made += piece.count
                precondition(made <= 1 << 20)
                return true
            }
        }
    }
}
