import Bytes
import CCrypto

/// The signed list of the modules that were verified together.
///
/// Text, one fact a line, the last line a signature over everything before it:
///
///     esets-generation 1
///     number 12
///     created 1763719000
///     file em002_64.dat 5242880 131077 <SHA-256 in hex>
///     signature <Ed25519 in hex>
///
/// The key is made at installation and stays on the machine: the manifest says that `esets_update` put this
/// generation together, and makes it possible to load files of any size without reading them again.
package struct GenerationManifest: Sendable, Equatable {
    /// One module file.
    package struct File: Sendable, Equatable {
        /// Name in the generation's directory, e.g. "em002_64.dat".
        package var name: String
        package var size: UInt64
        package var inode: UInt64
        /// SHA-256 in lower-case hexadecimal.
        package var digest: String

        package init(name: String, size: UInt64, inode: UInt64, digest: String) {
            self.name = name
            self.size = size
            self.inode = inode
            self.digest = digest
        }
    }

    package var number: UInt64
    /// Seconds since 1970.
    package var created: UInt64
    package var files: [File]

    package init(number: UInt64, created: UInt64, files: [File]) {
        self.number = number
        self.created = created
        self.files = files
    }

    private static let maximumSize = 1 << 20

    /// Letters, digits, "_", "-" and, not at the beginning, ".": a name that means the same to everybody who opens it.
    private static func isFileName(_ name: String) -> Bool {
        guard let first = name.utf8.first, first != UInt8(ascii: ".") else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                true
            default: false
            }
        }
    }

    /// The file's content, signed.
    package func encoded(seed: [UInt8]) throws(GenerationError) -> [UInt8] {
        let body = Array(self.body.utf8)
        var signature = [UInt8](repeating: 0, count: 64)
        guard seed.count == 32, CCrypto_ed25519_sign(seed, body, body.count, &signature) == 1 else {
            throw GenerationError("the generation key cannot sign; make a new one with esets_mod keygen")
        }
        return body + Array("signature \(hexadecimal(signature))\n".utf8)
    }

    private var body: String {
        var text = "esets-generation 1\nnumber \(number)\ncreated \(created)\n"
        for file in files { text += "file \(file.name) \(file.size) \(file.inode) \(file.digest)\n" }
        return text
    }

    /// Reads a manifest and checks its signature.
    package init(_ bytes: [UInt8], publicKey: [UInt8], path: String) throws(GenerationError) {
        func refuse(_ reason: String) -> GenerationError { GenerationError("\(path): \(reason)") }
        guard bytes.count <= Self.maximumSize else { throw refuse("longer than a manifest can be") }
        let text = String(decoding: bytes, as: UTF8.self)
        guard let mark = text.range(ofLast: "signature "),
            mark == text.startIndex || text[text.index(before: mark)] == "\n"
        else { throw refuse("no signature line") }
        let body = Array(text[..<mark].utf8)
        let signatureText = text[mark...].dropFirst("signature ".count).prefix { $0 != "\n" }
        guard let signature = bytesOfHexadecimal(signatureText), signature.count == 64, publicKey.count == 32,
            body.elementsEqual(bytes.prefix(body.count)),
            CCrypto_ed25519_verify(publicKey, body, body.count, signature) == 1
        else { throw refuse("the signature is wrong") }

        var number: UInt64?
        var created: UInt64 = 0
        var files: [File] = []
        for (index, line) in text[..<mark].split(separator: "\n").enumerated() {
            let words = line.split(separator: " ").map(String.init)
            switch (words.first, words.count) {
            case ("esets-generation", 2):
                guard index == 0, words[1] == "1" else { throw refuse("format \(words[1]) is not supported") }
            case ("number", 2): number = UInt64(words[1])
            case ("created", 2): created = UInt64(words[1]) ?? 0
            case ("file", 5):
                guard let size = UInt64(words[2]), let inode = UInt64(words[3]), words[4].utf8.count == 64,
                    Self.isFileName(words[1])
                else { throw refuse("line \(index + 1) is malformed") }
                files.append(File(name: words[1], size: size, inode: inode, digest: words[4]))
            default: throw refuse("line \(index + 1) is malformed")
            }
        }
        guard let number else { throw refuse("no number") }
        self.init(number: number, created: created, files: files)
    }
}

extension String {
    /// Where a text begins for the last time.
    fileprivate func range(ofLast needle: String) -> Index? {
        var index = endIndex
        while index > startIndex {
            index = self.index(before: index)
            if self[index...].hasPrefix(needle) { return index }
        }
        return nil
    }
}
