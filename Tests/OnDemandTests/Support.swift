import Configuration
import Glibc
import Logging
import OnDemand
import Platform
import ScanClient
import ScanProtocol

/// Finds what the content of an object says: lines "virus NAME", "unscanned REASON", "score N", "error", "away".
final class FakeScanner: ObjectScanner {
    private(set) var scanned: [String] = []
    private(set) var options: [ScanOptions] = []

    func scan(
        _ object: ScanObject, options: ScanOptions, envelope: ScanEnvelope
    ) throws(ScanClientError) -> ScanVerdict {
        scanned.append(object.name)
        self.options.append(options)
        var verdict = ScanVerdict()
        verdict.databaseVersion = 7
        verdict.objects = [ObjectInfo(id: 1, parent: 0)]
        let text: String
        do throws(SystemError) {
            text = String(decoding: try FakeScanner.read(object), as: UTF8.self)
        } catch {
            throw ScanClientError(.unreadable, error.description)
        }
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            switch words.first {
            case "virus": verdict.findings.append(Finding(kind: .infected, name: words[1]))
            case "member":
                verdict.objects = [
                    ObjectInfo(id: 1, parent: 0, type: 8), ObjectInfo(id: 2, parent: 1, name: "b/x", format: "ZIP"),
                ]
                verdict.findings.append(Finding(kind: .infected, name: words[1], object: 2))
            case "part":
                // An attachment of a message, whose body this line is.
                let start = UInt64(text.utf8.count) - UInt64(text[line.startIndex...].utf8.count)
                verdict.objects = [
                    ObjectInfo(id: 1, parent: 0, type: 1),
                    ObjectInfo(
                        id: 2, parent: 1, name: "x.exe", format: "MIME",
                        rootRange: start..<(start + UInt64(line.utf8.count))),
                ]
                verdict.findings.append(Finding(kind: .infected, name: words[1], object: 2))
            case "unscanned": verdict.findings.append(Finding(kind: .notScanned, name: words[1]))
            case "score": verdict.spamScore = Double(words[1])
            case "error": throw ScanClientError(.unreadable, "cannot be read")
            case "away": throw ScanClientError(.unavailable, "no daemon")
            default: break
            }
        }
        return verdict
    }

    static func read(_ object: ScanObject) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Int(object.size))
        let result = bytes.withUnsafeMutableBytes { buffer -> Result<Int, SystemError> in
            do throws(SystemError) {
                return .success(try object.descriptor.read(at: 0, into: buffer))
            } catch {
                return .failure(error)
            }
        }
        return Array(bytes[..<(try result.get())])
    }
}

/// A directory that goes with the test.
final class Scratch {
    let path: String

    init() throws {
        var template = [CChar]("/tmp/esets-ondemand-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? Files.remove(path) }

    @discardableResult
    func file(_ name: String, _ text: String = "") throws -> String {
        let full = "\(path)/\(name)"
        try Files.makeDirectory(Files.parent(of: full))
        try Files.replace(full, with: [UInt8](text.utf8))
        return full
    }

    func configuration(_ text: String) throws -> Configuration {
        try Configuration(
            main: ConfigurationFile(parsing: [UInt8](text.utf8)), path: "esets.cfg", paths: Paths(root: "\(path)/root"),
            userFile: { _ in
                .success(
                    ConfigurationFile(
                        parsing: [UInt8](
                            "[strict@example.org]\naction_av_infected = \"discard\"\nav_clean_mode = none\n".utf8)))
            })
    }
}

let quiet = Log(program: "test", target: .none)
