import Glibc
import Platform

/// The `.inf` file of an object: one block for each time that it came in, the newest last.
struct RecordFile {
    /// How many blocks are kept: a worm brings the same content thousands of times.
    static let limit = 64
    /// Largest file that is read, in bytes.
    static let sizeLimit = 4 << 20

    let directory: String
    let id: QuarantineID

    private var path: String { "\(directory)/\(id).inf" }

    /// The records; empty when there is no file.
    func read() throws(SystemError) -> [QuarantineRecord] {
        do throws(SystemError) {
            return QuarantineRecord.parse(try Files.text(path, limit: Self.sizeLimit))
        } catch  where error.code == ENOENT {
            return []
        }
    }

    /// The caller holds the lock of the directory.
    func add(_ record: QuarantineRecord) throws(SystemError) {
        let records = try read().suffix(Self.limit - 1) + [record]
        let text = records.map(\.text).joined(separator: "\n")
        try Files.replace(path, with: [UInt8](text.utf8), mode: 0o600)
    }

    func delete() throws(SystemError) {
        try Files.remove(path)
    }
}

/// Excludes other processes that change the records of a quarantine, until it goes.
struct DirectoryLock: ~Copyable {
    private let directory: Descriptor

    init(_ path: String) throws(SystemError) {
        let directory = try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
        _ = try checked("flock", path) { flock(directory.raw, LOCK_EX) }
        self.directory = directory
    }
}
