import Bytes
import CCrypto

/// Names of signatures that are left out: `.ign2` lines `name[:MD5 of the signature's line]`, and `.ign` lines
/// `database:line:name`.
struct IgnoreList {
    /// Conditions for a name: nil for always, otherwise the MD5 that the line must have.
    private var names: [[UInt8]: [[UInt8]?]] = [:]

    var isEmpty: Bool { names.isEmpty }

    mutating func add(_ line: ByteView) throws(LineError) {
        var fields = Fields(line)
        let first = fields.read() ?? ByteView()
        let second = fields.read()
        if let third = fields.read() {
            names[try Catalogue.checked(third).array, default: []].append(nil)
            return
        }
        let name = try Catalogue.checked(first).array
        guard let digest = second else {
            names[name, default: []].append(nil)
            return
        }
        guard digest.count == 32, let bytes = HexText.bytes(digest) else {
            throw .malformed("what follows the name is no MD5")
        }
        names[name, default: []].append(bytes)
    }

    /// Whether a signature is left out.
    func contains(_ name: ByteView, line: ByteView) -> Bool {
        guard !names.isEmpty, let conditions = names[name.array] else { return false }
        return conditions.contains { condition in
            guard let condition else { return true }
            var digest = [UInt8](repeating: 0, count: 16)
            return CCrypto_digest(CCRYPTO_MD5, line.base, line.count, &digest) == 1 && digest == condition
        }
    }
}

/// Hex digits as bytes.
enum HexText {
    /// nil when there is another character or an odd number of digits.
    static func bytes(_ digits: ByteView) -> [UInt8]? {
        guard digits.count % 2 == 0 else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(digits.count / 2)
        var i = 0
        while i < digits.count {
            guard let high = Number.hex(digits[i]), let low = Number.hex(digits[i + 1]) else { return nil }
            result.append(high << 4 | low)
            i += 2
        }
        return result
    }
}
