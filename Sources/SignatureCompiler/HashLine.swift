import Bytes
import CModuleABI

/// A line of the hash formats: `hash:size:name[:lowest level[:highest level]]`.
struct HashLine {
    let digest: HexDigest
    /// EM_SIZE_ANY for `*`.
    let size: UInt32
    let name: ByteView

    init(_ line: ByteView) throws(LineError) {
        var fields = Fields(line)
        guard let digits = fields.read(), let size = fields.read(), let name = fields.read() else {
            throw .malformed("fewer than three fields")
        }
        digest = try HexDigest(digits)
        self.size = try Self.size(size)
        self.name = try Catalogue.checked(name)
        try fields.readLevels()
    }

    /// The size of an object as the hash formats have it; `*` is EM_SIZE_ANY.
    static func size(_ text: ByteView) throws(LineError) -> UInt32 {
        if text.count == 1, text[0] == UInt8(ascii: "*") { return EM_SIZE_ANY }
        guard let value = Number.decimal(text) else { throw .malformed("the size is no number") }
        guard value < UInt64(EM_SIZE_ANY) else { throw .unsupported("an object of 4 GiB or more") }
        return UInt32(value)
    }
}
