import CModuleABI

#if MODULE_WORLD
    package import BytesE
#else
    package import Bytes
#endif

/// What a module says of itself before any of its code runs.
package struct Manifest {
    package enum Kind: Sendable { case code, data }

    /// All of it, `key=value` lines.
    package let text: ByteView
    /// e.g. "em001.scanner"
    package let id: ByteView
    /// The name of its file without "_64.dat", e.g. "em001".
    package let file: ByteView
    package let version: ByteView
    package let kind: Kind

    init(_ note: ByteView) throws(Refusal) {
        guard note.count <= 4096 else { throw Refusal("manifest", "longer than 4096 bytes") }
        text = note.slice(0, note.firstIndex(of: 0) ?? note.count)
        guard let id = Self.value("id", in: text), Self.isName(id),
            let file = Self.value("file", in: text), Self.isName(file),
            let version = Self.value("version", in: text), !version.isEmpty
        else { throw Refusal("manifest", "id, file or version is missing or malformed") }
        self.id = id
        self.file = file
        self.version = version
        let kindText = Self.value("kind", in: text) ?? ByteView()
        if kindText.equals(ByteView("code")) {
            kind = .code
        } else if kindText.equals(ByteView("data")) {
            kind = .data
        } else {
            throw Refusal("manifest", "kind is neither code nor data")
        }
        guard let abi = Self.value("abi", in: text), abi.hasPrefix(ByteView("1.")) else {
            throw Refusal("abi", "made for another major version of the module interface; this host has 1")
        }
    }

    /// The value of a key; nil when it is not there.
    package func value(_ key: StaticString) -> ByteView? { Self.value(key, in: text) }

    private static func value(_ key: StaticString, in text: ByteView) -> ByteView? {
        var start = 0
        while start < text.count {
            let end = text.firstIndex(of: 0x0a, from: start) ?? text.count
            let line = text.slice(start, end)
            if let equals = line.firstIndex(of: 0x3d), line.prefix(equals).equals(ByteView(key)) {
                return line.dropFirst(equals + 1)
            }
            start = end + 1
        }
        return nil
    }

    /// Letters, digits, dots, hyphens, underscores; so that it can be a file name.
    private static func isName(_ bytes: ByteView) -> Bool {
        guard !bytes.isEmpty, bytes.count <= 64, bytes[0] != 0x2e else { return false }
        for index in 0..<bytes.count {
            let byte = bytes[index]
            let letter = asciiLowercased(byte) &- 0x61 < 26
            let digit = byte &- 0x30 < 10
            if !letter && !digit && byte != 0x2e && byte != 0x2d && byte != 0x5f { return false }
        }
        return true
    }
}
