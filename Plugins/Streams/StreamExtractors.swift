import CModuleABI
import ModuleKit
package import Unpacking

/// Calls `body` for each format of one compressed file.
package func streamExtractors(_ body: (Extractor) -> Void) {
    body(stream("BZIP2", .bzip2) { claim($0, .bzip2) })
    body(stream("XZ", .xz) { claim($0, .xz) })
    body(stream("LZMA", .lzma) { claim($0, .lzma) })
    body(stream("LZIP", .lzip) { claim($0, .lzip) })
    body(stream("LZ4", .lz4) { claim($0, .lz4) })
    body(stream("ZSTD", .zstd) { claim($0, .zstd) })
    body(stream("COMPRESS", .compress) { claim($0, .compress) })
}

private func stream(
    _ name: StaticString, _ format: StreamFormat, _ identify: @escaping (Candidate) -> Claim?
) -> Extractor {
    Extractor(name, variant: format.rawValue, identify: identify) { scan, object, extractor throws(ModuleError) in
        StreamUnpacker(
            scan, object, format: extractor.name, StreamFormat(rawValue: extractor.variant) ?? .bzip2)
    }
}

private func claim(_ candidate: Candidate, _ format: StreamFormat) -> Claim? {
    format.isBegun(by: candidate.data) ? .magic(EM_TYPE_ARCHIVE) : nil
}
