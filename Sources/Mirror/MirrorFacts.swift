import Bytes
import Glibc
import JSON
import Platform

/// What lies in the mirror's directory.
package struct MirrorFacts: Sendable, Equatable {
    /// Of the TUF repository.
    package struct Timestamp: Sendable, Equatable {
        package var version: Int64
        /// Seconds since 1970.
        package var expires: Int64
    }

    package var files: Int64 = 0
    package var bytes: Int64 = 0
    /// The youngest file's date, in seconds since 1970; 0 without files.
    package var changed: Int64 = 0
    package var timestamp: Timestamp?

    package init() {}

    /// Files that are counted at most: a directory that grew beyond all bounds must not keep the agent busy.
    private static let limit: Int64 = 500_000
    private static let depth = 16

    /// Looks through the directory. Hidden files, which are not served, are not counted.
    package static func read(_ root: String) -> MirrorFacts {
        var facts = MirrorFacts()
        facts.add(root, depth)
        for name in ["metadata/timestamp.json", "timestamp.json"] {
            guard facts.timestamp == nil, let bytes = try? Files.read("\(root)/\(name)", limit: 1 << 20) else {
                continue
            }
            facts.timestamp = timestamp(bytes)
        }
        return facts
    }

    private mutating func add(_ directory: String, _ depth: Int) {
        guard depth > 0, let names = try? Files.names(in: directory) else { return }
        for name in names where !name.hasPrefix(".") {
            guard files < MirrorFacts.limit else { return }
            let path = "\(directory)/\(name)"
            var info = stat()
            guard lstat(path, &info) == 0 else { continue }
            switch info.st_mode & S_IFMT {
            case S_IFDIR: add(path, depth - 1)
            case S_IFREG:
                files += 1
                bytes += Int64(info.st_size)
                changed = max(changed, Int64(info.st_mtim.tv_sec))
            default: break
            }
        }
    }

    static func timestamp(_ bytes: [UInt8]) -> Timestamp? {
        guard let document = try? JSONValue(parsing: bytes), let signed = document["signed"],
            let version = signed["version"]?.integer, let text = signed["expires"]?.string
        else { return nil }
        let expires = Array(text.utf8).withUnsafeBufferPointer { HTTPDate.seconds(iso: ByteView($0)) }
        return expires.map { Timestamp(version: version, expires: $0) }
    }
}
