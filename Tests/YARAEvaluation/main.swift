import Bytes
import BytesE
import CModuleABI
import DataModule
import Glibc
import Matching
import SignatureCompiler
import YARAEngine

// Says which YARA rules match which files: `yara_evaluation RULES… -- FILES…`, a line "file TAB rule" for each.
// For the comparison with other engines (tools/agree-yara). A file "@LIST" names files, one a line.

func say(_ text: String) {
    let bytes = Array("\(text)\n".utf8)
    _ = write(2, bytes, bytes.count)
}

func fail(_ text: String) -> Never {
    say("yara_evaluation: \(text)")
    exit(1)
}

func contents(_ path: String) -> [UInt8] {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { fail("cannot open \(path)") }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
        let count = read(descriptor, &buffer, buffer.count)
        guard count > 0 else { return bytes }
        bytes += buffer[0..<count]
    }
}

func lines(_ path: String) -> [String] {
    String(decoding: contents(path), as: UTF8.self).split(separator: "\n").map(String.init)
}

let arguments = Array(CommandLine.arguments.dropFirst())
guard let divider = arguments.firstIndex(of: "--") else { fail("usage: yara_evaluation RULES… -- FILES…") }
let rulePaths = arguments[..<divider].flatMap { $0.hasPrefix("@") ? lines(String($0.dropFirst())) : [$0] }
let objectPaths = arguments[(divider + 1)...].flatMap { $0.hasPrefix("@") ? lines(String($0.dropFirst())) : [$0] }

var files: [SignatureFile] = []
for path in rulePaths {
    let bytes = contents(path)
    let place = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(1, bytes.count))
    _ = place.initialize(from: bytes)
    let name = String(path[(path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)...])
    files.append(SignatureFile(name: name, bytes: Bytes.ByteView(base: place.baseAddress, count: bytes.count)))
}
let (compiled, report) = try SignatureCompiler.compile(files, version: 1)
for problem in report.malformed + report.unsupported { say("\(problem)") }
say("\(report.rules) rules, \(report.malformedCount) malformed, \(report.unsupportedCount) unsupported")
let database = try compiled.bytes()
let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: database.count, alignment: 64)
memory.copyBytes(from: database)
let scanner = try RuleScanner(BytesE.ByteView(UnsafeRawBufferPointer(memory)))
for path in objectPaths {
    let bytes = contents(path)
    let name = Array(path.utf8)
    bytes.withUnsafeBufferPointer { object in
        name.withUnsafeBufferPointer { path in
            var facts = Evaluator.Facts()
            facts.path = BytesE.ByteView(path)
            facts.name = facts.path.dropFirst((path.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1)
            facts.now = Int64(time(nil))
            let view = BytesE.ByteView(object)
            let outcome = scanner.scan(view, type: EM_TYPE_UNKNOWN, facts: facts) { match in
                let rule = scanner.database.signature(match.signature)
                print(
                    String(decoding: path, as: UTF8.self), String(decoding: rule?.name.array ?? [], as: UTF8.self),
                    separator: "\t")
            }
            if outcome != .complete { print(String(decoding: path, as: UTF8.self), "(\(outcome))", separator: "\t") }
        }
    }
}
