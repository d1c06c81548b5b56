import Glibc
package import Platform

/// The quarantine: a directory with `ID.dat` (content, masked, mode 0600) and `ID.inf` (records) for each object.
/// Several processes may use it at once.
package struct QuarantineStore: Sendable {
    package let directory: String

    /// - Parameter directory: `@CACHEDIR@/quarantine`; made with mode 0700 when the first object comes.
    package init(directory: String) {
        self.directory = directory
    }

    /// One object as a listing shows it.
    package struct Entry: Sendable, Equatable {
        package var id: QuarantineID
        /// Each time that it came in, oldest first; empty when a power failure took the records.
        package var records: [QuarantineRecord]
    }

    /// Begins to put an object in.
    package func add() throws(QuarantineError) -> QuarantineWriter {
        do throws(SystemError) {
            try Files.makeDirectory(directory, mode: 0o700)
        } catch {
            throw QuarantineError(error)
        }
        return try QuarantineWriter(directory: directory)
    }

    /// All objects, ordered by id. Unfinished and foreign files are passed over.
    package func list() throws(QuarantineError) -> [Entry] {
        do throws(SystemError) {
            var entries: [Entry] = []
            for name in try Files.names(in: directory) {
                guard name.hasSuffix(".dat"), let id = QuarantineID(name.dropLast(4)) else { continue }
                entries.append(Entry(id: id, records: try RecordFile(directory: directory, id: id).read()))
            }
            return entries
        } catch  where error.code == ENOENT {
            return []
        } catch {
            throw QuarantineError(error)
        }
    }

    /// The records of one object.
    package func records(of id: QuarantineID) throws(QuarantineError) -> [QuarantineRecord] {
        guard Files.exists(contentPath(id)) else { throw .missing(id) }
        do throws(SystemError) {
            return try RecordFile(directory: directory, id: id).read()
        } catch {
            throw QuarantineError(error)
        }
    }

    /// Writes the content of an object to a file, at its current position, and checks it.
    /// - Throws: `damaged` when the content is not what was put in; what was written must not be used then.
    package func copy(_ id: QuarantineID, to output: Descriptor) throws(QuarantineError) {
        guard let digest = ContentDigest() else { throw .digest }
        do throws(SystemError) {
            let file = try Descriptor.open(contentPath(id), O_RDONLY | O_NOFOLLOW)
            while true {
                var piece = try file.readToEnd(limit: 65_536)
                guard !piece.isEmpty else { break }
                QuarantineMask.apply(to: &piece)
                guard piece.withUnsafeBytes(digest.update) else { throw SystemError("digest", id.text, code: EIO) }
                try output.writeAll(piece)
            }
        } catch {
            throw error.code == ENOENT ? .missing(id) : QuarantineError(error)
        }
        guard let digests = digest.finish() else { throw .digest }
        guard QuarantineID(digest: digests.sha1) == id else { throw .damaged(id) }
    }

    /// Removes an object and its records.
    package func delete(_ id: QuarantineID) throws(QuarantineError) {
        guard Files.exists(contentPath(id)) else { throw .missing(id) }
        do throws(SystemError) {
            let lock = try DirectoryLock(directory)
            try Files.remove(contentPath(id))
            try RecordFile(directory: directory, id: id).delete()
            withExtendedLifetime(lock) {}
            try Files.synchronizeDirectory(directory)
        } catch {
            throw QuarantineError(error)
        }
    }

    private func contentPath(_ id: QuarantineID) -> String { "\(directory)/\(id).dat" }
}
