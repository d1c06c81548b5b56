import Bytes
import CModuleABI

/// A line of the hash formats: `hash:size:name[:lowest level[:highest level]]`.
struct HashLine {
    /// EM_HASH_….
    let algorithm: UInt32
    /// The digest's hex digits.
    let digits: ByteView
    /// EM_SIZE_ANY for `*`.
    let size: UInt32
    let name: ByteView

    init(_ line: ByteView) throws(LineError) {
        var fields = Fields(line)
        guard let digits = fields.read(), let size = fields.read(), let name = fields.read() else {
            throw .malformed("fewer than three fields")
        }
        switch digits.count {
        case 32: algorithm = EM_HASH_MD5
        case 40: algorithm = EM_HASH_SHA1
        case 64: algorithm = EM_HASH_SHA256
        default: throw .malformed("the hash has the length of no known algorithm")
        }
        for digit in digits.buffer where Number.hex(digit) == nil {
            throw .malformed("the hash has a character that is no hex digit")
        }
        self.digits = digits
        if size.count == 1, size[0] == UInt8(ascii: "*") {
            self.size = EM_SIZE_ANY
        } else {
            guard let value = Number.decimal(size) else { throw .malformed("the size is no number") }
            guard value < UInt64(EM_SIZE_ANY) else { throw .unsupported("an object of 4 GiB or more") }
            self.size = UInt32(value)
        }
        self.name = try Catalogue.checked(name)
        try fields.readLevels()
    }
}
