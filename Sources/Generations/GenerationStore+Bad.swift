import CCrypto
import Glibc
import Platform

/// A generation that was in use and was left because it turned out bad.
package struct BadGeneration: Sendable, Equatable {
    package let number: UInt64
    /// When it was left, in seconds since 1970.
    package let time: UInt64
    /// `GenerationManifest.content`; "" when its manifest could not be read.
    package let content: String
    package let reason: String

    package init(number: UInt64, time: UInt64, content: String, reason: String) {
        self.number = number
        self.time = time
        self.content = content
        self.reason = String(reason.map { $0.isNewline ? " " : $0 }.prefix(500))
    }
}

extension GenerationManifest {
    /// What it is made of, whatever its number and time: SHA-256 over the names and digests of its files, in hexadecimal.
    package var content: String {
        let lines = files.sorted { $0.name < $1.name }.map { "\($0.name) \($0.digest)\n" }.joined()
        let bytes = Array(lines.utf8)
        var digest = [UInt8](repeating: 0, count: 32)
        return CCrypto_digest(CCRYPTO_SHA256, bytes, bytes.count, &digest) == 1 ? hexadecimal(digest) : ""
    }
}

extension GenerationStore {
    /// One line for each: number, time, content ("-" when it is not known), reason.
    private var badFile: String { "\(directory)/.bad" }
    /// The newest that are remembered.
    private static let badLimit = 64

    /// Generations that were left as bad, the oldest first.
    package var bad: [BadGeneration] {
        guard let text = try? Files.text(badFile, limit: 1 << 20) else { return [] }
        return text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
            guard words.count == 4, let number = UInt64(words[0]), let time = UInt64(words[1]) else { return nil }
            return BadGeneration(
                number: number, time: time, content: words[2] == "-" ? "" : String(words[2]), reason: String(words[3]))
        }
    }

    /// Why a generation is not used by itself: it was left, or another one with the same content was. nil when there is
    /// no reason.
    ///
    /// - Parameter content: `GenerationManifest.content`; "" when it is not known.
    package func badness(of number: UInt64, content: String) -> BadGeneration? {
        bad.last { $0.number == number || !content.isEmpty && $0.content == content }
    }

    /// Remembers a generation as bad; one that is known already keeps its place.
    package func markBad(_ generation: BadGeneration) throws(GenerationError) {
        let others = bad.filter { $0.number != generation.number }
        try writeBad(others + [generation])
    }

    /// Forgets that a generation, and what has the same content, was bad: it may be tried again.
    package func forgive(_ number: UInt64) throws(GenerationError) {
        let known = bad
        let content = known.last { $0.number == number }?.content ?? ""
        try writeBad(known.filter { $0.number != number && (content.isEmpty || $0.content != content) })
    }

    private func writeBad(_ generations: [BadGeneration]) throws(GenerationError) {
        let lines = generations.suffix(GenerationStore.badLimit).map { generation in
            let content = generation.content.isEmpty ? "-" : generation.content
            return "\(generation.number) \(generation.time) \(content) \(generation.reason)\n"
        }
        do throws(SystemError) { try Files.replace(badFile, with: Array(lines.joined().utf8)) } catch {
            throw GenerationError(error)
        }
    }
}
