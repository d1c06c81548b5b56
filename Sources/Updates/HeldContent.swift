import CCrypto
import Generations
import Platform

/// What a generation is made of, whatever its number and time: the sources of its data modules and the bytes of its code.
package struct ContentIdentity: Sendable, Equatable {
    /// SHA-256 in lower-case hexadecimal.
    package let text: String

    /// - Parameter parts: module names, each with the digest of its sources or of itself.
    init(parts: [String: String]) {
        let lines = parts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)\n" }.joined()
        var digest = [UInt8](repeating: 0, count: 32)
        let bytes = Array(lines.utf8)
        _ = CCrypto_digest(CCRYPTO_SHA256, bytes, bytes.count, &digest)
        text = hexadecimal(digest)
    }

    /// Of a generation that is there.
    package init(installed directory: String) {
        var parts: [String: String] = [:]
        for name in (try? Files.names(in: directory)) ?? [] where name.hasSuffix(".dat") {
            let path = "\(directory)/\(name)"
            parts[name] = InstalledModule(path: path)?.sources ?? Self.digest(of: path)
        }
        self.init(parts: parts)
    }

    /// SHA-256 of a file; "" when it cannot be read.
    static func digest(of path: String) -> String {
        guard let file = try? Mapping(copyOf: path) else { return "" }
        var digest = [UInt8](repeating: 0, count: 32)
        guard CCrypto_digest(CCRYPTO_SHA256, file.bytes.baseAddress, file.bytes.count, &digest) == 1 else { return "" }
        return hexadecimal(digest)
    }
}

/// Content that was gone back from: `@BASEDIR@/data/held.txt`, a line with its identity and one with the reason. It is not
/// installed again until the sources bring something else, or somebody forces it.
package struct HeldContent: Sendable {
    private let path: String

    package init(_ folder: String) {
        path = "\(folder)/held.txt"
    }

    /// Why this content is held; nil when it is not.
    package func reason(for identity: ContentIdentity) -> String? {
        guard let text = try? Files.text(path, limit: 16_384) else { return nil }
        let lines = text.split(separator: "\n")
        guard let first = lines.first, first == identity.text else { return nil }
        return lines.count > 1 ? String(lines[1]) : "no reason is known"
    }

    package func hold(_ identity: ContentIdentity, reason: String) throws(UpdateError) {
        let line = String(reason.map { $0.isNewline ? " " : $0 })
        do throws(SystemError) { try Files.replace(path, with: Array("\(identity.text)\n\(line)\n".utf8)) } catch {
            throw UpdateError(error)
        }
    }

    /// Something else is installed.
    package func release() { try? Files.remove(path) }
}
