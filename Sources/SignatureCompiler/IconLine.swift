import Bytes
import CModuleABI

/// A line of the icon format: `name:first group:second group:124 hex digits`, which measure the icon.
struct IconLine {
    let name: ByteView
    let firstGroup, secondGroup: UInt32
    let digits: ByteView

    /// Digits of a side, six kinds of three areas, and four shares.
    private static let digitCount = 124

    init(_ line: ByteView) throws(LineError) {
        var fields = Fields(line)
        guard let name = fields.read(), let first = fields.read(), let second = fields.read(),
            let digits = fields.read(), fields.read() == nil
        else { throw .malformed("not four fields") }
        self.name = try Catalogue.checked(name)
        firstGroup = try Self.group(first)
        secondGroup = try Self.group(second)
        guard digits.count == Self.digitCount else { throw .malformed("the icon's measures have not 124 digits") }
        for digit in digits.buffer where Number.hex(digit) == nil {
            throw .malformed("the icon's measures have a character that is no hex digit")
        }
        guard let side = HexText.bytes(digits.prefix(2))?.first, side == 16 || side == 24 || side == 32 else {
            throw .malformed("the icon is not 16, 24 or 32 pixels wide")
        }
        self.digits = digits
    }

    /// The number of a group: the FNV-1a hash of its name; 0 for `*`, which is any.
    static func group(_ name: ByteView) throws(LineError) -> UInt32 {
        guard !name.isEmpty else { throw .malformed("an icon group without a name") }
        if name.count == 1, name[0] == UInt8(ascii: "*") { return 0 }
        var hash: UInt32 = 0x811c_9dc5
        for byte in name.buffer { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
        return max(hash, 1)
    }
}
