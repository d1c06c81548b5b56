import Bytes
import CModuleABI

/// A line of the format of archive passwords: `name;target description;kind;password`.
///
/// Cisco-Talos/clamav-documentation, EncryptedArchives.
struct PasswordLine {
    let name: ByteView
    /// The number of the archive's file type as conditions have it; 0: any.
    let container: UInt32
    let password: [UInt8]

    /// Longer ones nobody types.
    private static let longest = 256

    init(_ line: ByteView) throws(LineError) {
        var fields: [ByteView] = []
        var rest = line
        // A password may have semicolons.
        while fields.count < 3, let end = rest.firstIndex(of: UInt8(ascii: ";")) {
            fields.append(rest.prefix(end))
            rest = rest.dropFirst(end + 1)
        }
        guard fields.count == 3 else { throw .malformed("fewer than four fields") }
        name = try Catalogue.checked(fields[0])
        container = try TargetDescription.container(of: fields[1])
        switch Number.decimal(fields[2]) {
        case 0: password = rest.array
        case 1:
            guard let bytes = HexText.bytes(rest) else { throw .malformed("the password is no hexadecimal digits") }
            password = bytes
        default: throw .malformed("the kind of password is neither 0 nor 1")
        }
        guard !password.isEmpty else { throw .malformed("the password is empty") }
        guard password.count <= Self.longest else { throw .unsupported("a password of more than 256 bytes") }
    }
}
