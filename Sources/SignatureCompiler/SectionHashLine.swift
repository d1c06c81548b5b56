import Bytes
import CModuleABI

/// A line of the formats with hashes of sections: `size:hash:name[:lowest level[:highest level]]`.
///
/// The size is that of the section in the file, widened to the file's alignment; the digest is of those bytes.
struct SectionHashLine {
    let digest: HexDigest
    /// EM_SIZE_ANY for `*`.
    let size: UInt32
    let name: ByteView

    init(_ line: ByteView) throws(LineError) {
        var fields = Fields(line)
        guard let size = fields.read(), let digits = fields.read(), let name = fields.read() else {
            throw .malformed("fewer than three fields")
        }
        self.size = try HashLine.size(size)
        digest = try HexDigest(digits)
        self.name = try Catalogue.checked(name)
        try fields.readLevels()
    }
}
