package import Bytes
import CCrypto

/// A `.cdiff` file: what turns the members of one version of a container into those of the next.
///
/// `ClamAV-Diff:version:size:`, the script packed by gzip, `:` and a signature over the SHA-256 of everything before the
/// colon. Commands are lines, see `ChangeScript.Step`.
package struct ChangeFile {
    /// The version that it leads to.
    package let version: UInt32
    private let bytes: ByteView
    private let body: ByteView
    private let signature: ByteView
    private let keys: Keys
    /// The longest signature that is written as text.
    private static let signatureLimit = 350
    /// The longest script. Those of a day have some megabytes.
    private static let scriptLimit = 256 << 20

    /// Reads header and footer.
    ///
    /// - Parameter bytes: the whole file; must stay valid as long as this.
    package init(_ bytes: ByteView, keys: Keys = .published) throws(CVDError) {
        self.bytes = bytes
        self.keys = keys
        guard bytes.hasPrefix(ByteView("ClamAV-Diff:")) else {
            throw CVDError(.malformed, "it does not begin like a script of changes")
        }
        guard let first = bytes.firstIndex(of: UInt8(ascii: ":"), from: 12), first < 32,
            let second = bytes.firstIndex(of: UInt8(ascii: ":"), from: first + 1), second < 64,
            let version = Decimal.value(bytes.slice(12, first)), version <= UInt64(UInt32.max),
            let size = Decimal.value(bytes.slice(first + 1, second)), size <= UInt64(Self.scriptLimit)
        else { throw CVDError(.malformed, "its header is not \"version:size:\"") }
        self.version = UInt32(version)
        var colon = bytes.count - 1
        let lowest = max(second, bytes.count - Self.signatureLimit - 1)
        while colon > lowest, bytes[colon] != UInt8(ascii: ":") { colon -= 1 }
        guard colon > second else { throw CVDError(.malformed, "it has no signature") }
        body = bytes.slice(second + 1, colon)
        signature = bytes.dropFirst(colon + 1)
    }

    /// Checks who signed it.
    ///
    /// - Parameters:
    ///   - detached: its `.cdiff.sign` file, if there is one; wrong, it is not made good by the older signature.
    ///   - store: certificates that may have made that.
    ///   - level: functionality level of the engine.
    package func verify(
        detached: DetachedSignature? = nil, store: CertificateStore? = nil, level: UInt64
    ) throws(CVDError) {
        if let detached, let store, store.count > 0 {
            _ = try detached.verify(bytes, by: store, level: level)
            return
        }
        let signed = bytes.prefix(bytes.count - signature.count - 1)
        var digest = [UInt8](repeating: 0, count: 32)
        guard CCrypto_digest(CCRYPTO_SHA256, signed.base, signed.count, &digest) == 1 else {
            throw CVDError(.signature, "SHA-256 is not available")
        }
        guard keys.script.verify(signature, digest: digest) else {
            throw CVDError(.signature, "its signature is wrong")
        }
    }

    /// The script, unpacked. Its size is not believed: older files state another one.
    package func script() throws(CVDError) -> [UInt8] {
        var text: [UInt8] = []
        let isWhole = try Inflater.unpack(body) { piece throws(CVDError) in
            guard text.count + piece.count <= Self.scriptLimit else {
                throw CVDError(.limit, "its script is longer than \(Self.scriptLimit) bytes")
            }
            text.append(contentsOf: piece.buffer)
            return true
        }
        guard isWhole else { throw CVDError(.malformed, "it ends before its script is complete") }
        return text
    }
}

/// The commands of a script of changes, checked; nothing is applied yet.
///
///     OPEN file             a file of the container, for the commands up to CLOSE
///     ADD line              at its end
///     DEL number start      a line, which begins so
///     XCHG number start new the same, and another line in its place
///     CLOSE
///     MOVE from to number start number start    lines from one file to the end of another
///     UNLINK file
///
/// Numbers are those of lines before the change, from 1.
package struct ChangeScript {
    package enum Step {
        case edit(FileEdit)
        case move(LineMove)
        case remove(String)
    }

    package private(set) var steps: [Step] = []
    /// Far above what a script has; every command costs some memory.
    private static let commandLimit = 20_000_000

    /// - Parameter text: must stay valid as long as this.
    package init(_ text: ByteView) throws(CVDError) {
        var edit: FileEdit?
        var number = 0
        var start = 0
        while start < text.count {
            let end = text.firstIndex(of: 0x0a, from: start) ?? text.count
            let line = text.slice(start, end)
            number += 1
            start = end + 1
            guard number <= Self.commandLimit else { throw CVDError(.limit, "its script has too many commands") }
            if line.isEmpty || line[0] == UInt8(ascii: "#") { continue }
            do throws(CVDError) {
                try take(line, &edit)
            } catch {
                throw CVDError(error.kind, "line \(number) of its script: \(error.description)")
            }
        }
        guard edit == nil else { throw CVDError(.malformed, "its script ends before a file is closed") }
    }

    private mutating func take(_ line: ByteView, _ edit: inout FileEdit?) throws(CVDError) {
        var words = Words(line)
        let command = try words.word("a command")
        if command.equals(ByteView("ADD")) {
            guard edit != nil else { throw CVDError(.malformed, "no file is open") }
            edit?.additions.append(words.rest)
        } else if command.equals(ByteView("DEL")) || command.equals(ByteView("XCHG")) {
            let isExchange = command.count == 4
            let number = try words.number("a line's number")
            let beginning = try words.word("how the line begins")
            guard edit != nil else { throw CVDError(.malformed, "no file is open") }
            try edit?.change(FileEdit.Change(line: number, beginning: beginning, new: isExchange ? words.rest : nil))
        } else if command.equals(ByteView("OPEN")) {
            guard edit == nil else { throw CVDError(.malformed, "another file is still open") }
            edit = FileEdit(name: try words.file())
        } else if command.equals(ByteView("CLOSE")) {
            guard let done = edit else { throw CVDError(.malformed, "no file is open") }
            steps.append(.edit(done))
            edit = nil
        } else if command.equals(ByteView("MOVE")) {
            guard edit == nil else { throw CVDError(.malformed, "a file is still open") }
            let move = LineMove(
                from: try words.file(), to: try words.file(), first: try words.number("a line's number"),
                firstBeginning: try words.word("how it begins"), last: try words.number("a line's number"),
                lastBeginning: try words.word("how it begins"))
            guard move.first <= move.last, move.from != move.to else {
                throw CVDError(.malformed, "these lines cannot be moved")
            }
            steps.append(.move(move))
        } else if command.equals(ByteView("UNLINK")) {
            guard edit == nil else { throw CVDError(.malformed, "a file is still open") }
            steps.append(.remove(try words.file()))
        } else {
            throw CVDError(.malformed, "an unknown command")
        }
    }

    /// Words between single blanks.
    private struct Words {
        private var text: ByteView
        /// What follows the words taken so far.
        var rest: ByteView { text }

        init(_ line: ByteView) { text = line }

        mutating func word(_ what: StaticString) throws(CVDError) -> ByteView {
            guard !text.isEmpty else { throw CVDError(.malformed, "\(what) is missing") }
            let end = text.firstIndex(of: 0x20) ?? text.count
            let word = text.prefix(end)
            guard !word.isEmpty else { throw CVDError(.malformed, "\(what) is missing") }
            text = text.dropFirst(end + 1)
            return word
        }

        mutating func number(_ what: StaticString) throws(CVDError) -> Int {
            guard let value = Decimal.value(try word(what)), value > 0, value <= 1 << 32 else {
                throw CVDError(.malformed, "\(what) is none")
            }
            return Int(value)
        }

        /// The name of a member: letters, digits, "_", "-" and, not at the beginning, ".".
        mutating func file() throws(CVDError) -> String {
            let name = try word("the name of a file")
            let isPlain = name.buffer.allSatisfy {
                $0 &- 0x30 < 10 || ($0 | 0x20) &- 0x61 < 26 || $0 == 0x2e || $0 == 0x5f || $0 == 0x2d
            }
            guard isPlain, name.count <= 99, name[0] != 0x2e else {
                throw CVDError(.malformed, "a file's name has a character that is not allowed")
            }
            return String(decoding: name.buffer, as: UTF8.self)
        }
    }
}
