package import Configuration
import Glibc
import Platform
package import Quarantine
package import ScanClient
package import ScanProtocol

/// Removing infected files.
package struct FileCleaner: Sendable {
    package enum Result: Sendable, Equatable {
        /// The file stays, because the mode says so.
        case retained
        case deleted
        /// It should have gone and could not.
        case failed(String)
    }

    package var mode: CleanMode
    /// Where a copy goes before a file is removed; nil for nowhere.
    package var quarantine: QuarantineStore?

    /// - Parameters:
    ///   - mode: how far cleaning goes; see `removes`.
    ///   - quarantine: where a copy goes first; nil for nowhere.
    package init(mode: CleanMode, quarantine: QuarantineStore?) {
        self.mode = mode
        self.quarantine = quarantine
    }

    /// Whether a file with this verdict goes. "standard" removes what is nothing but a threat; "strict" also
    /// archives that hold one; "rigorous" and "delete" also messages and mailboxes.
    package func removes(_ verdict: ScanVerdict) -> Bool {
        guard verdict.isInfected, mode != .none else { return false }
        switch mode {
        case .none: return false
        case .rigorous, .delete: return true
        case .strict: return !isMail(verdict)
        case .standard:
            return !isMail(verdict)
                && verdict.threats.contains { threat in
                    threat.name != Finding.multipleThreats && !isMember(threat.object, verdict)
                }
        }
    }

    /// Quarantines and removes a file, if the mode says so.
    /// - Parameters:
    ///   - object: what was scanned, still open.
    ///   - path: where it was found.
    ///   - verdict: what was found in it.
    ///   - record: what the quarantine notes about it.
    /// - Returns: what became of it.
    package func clean(
        _ object: ScanObject, path: String, _ verdict: ScanVerdict, _ record: QuarantineRecord
    ) -> Result {
        let goes = removes(verdict)
        if let quarantine, verdict.isInfected {
            do throws(QuarantineError) {
                let writer = try quarantine.add()
                try writer.append(object.descriptor)
                _ = try writer.commit(record)
            } catch {
                return goes ? .failed("\(error); the file was not removed") : .failed(error.description)
            }
        }
        return goes ? remove(object, path) : .retained
    }

    private func isMail(_ verdict: ScanVerdict) -> Bool {
        verdict.objects.first { $0.id == 1 }.map { $0.type == 1 } ?? false
    }

    /// Whether an archive or a message stands around an object, so that good files may lie beside it.
    private func isMember(_ id: UInt64, _ verdict: ScanVerdict) -> Bool {
        let objects = Dictionary(verdict.objects.map { ($0.id, $0) }) { first, _ in first }
        var next = objects[id]?.parent ?? 0
        for _ in 0...objects.count {
            guard let ancestor = objects[next] else { return false }
            if [1, 8, 10, 17].contains(ancestor.type) { return true }
            next = ancestor.parent
        }
        return false
    }

    /// Removes the very file that was scanned: not one that took its place meanwhile, nor just a link to it.
    private func remove(_ object: ScanObject, _ path: String) -> Result {
        guard let resolved = realpath(path, nil) else { return .failed(SystemError("realpath", path).description) }
        defer { free(resolved) }
        do throws(SystemError) {
            let scanned = try object.descriptor.status()
            var now = stat()
            _ = try checked("lstat", path) { lstat(resolved, &now) }
            let isSame =
                now.st_dev == scanned.st_dev && now.st_ino == scanned.st_ino
                && UInt64(max(0, now.st_size)) == object.size
            guard isSame else { return .failed("the file changed while it was scanned; scan it again") }
            _ = try checked("unlink", path) { unlink(resolved) }
            return .deleted
        } catch {
            return .failed(error.description)
        }
    }
}
