import CCrypto
import Glibc
import Platform

/// A generation that is being put together; nobody sees it before `commit`.
package struct StagedGeneration: Sendable {
    let store: GenerationStore
    /// Where its files are; other programs may write there before `commit`.
    package let path: String

    /// Takes a module unchanged from another generation: a hard link, so that the file, its memory and its
    /// loaded code are shared.
    package func addUnchanged(_ name: String, from number: UInt64) throws(GenerationError) {
        do throws(SystemError) {
            let source = "\(store.path(number))/\(name)"
            _ = try checked("link", source) { link(source, "\(path)/\(name)") }
        } catch {
            throw GenerationError(error)
        }
    }

    /// Copies a module in.
    package func add(_ name: String, copyOf source: String) throws(GenerationError) {
        do throws(SystemError) {
            let from = try Descriptor.open(source, O_RDONLY)
            let to = try Descriptor.open("\(path)/\(name)", O_WRONLY | O_CREAT | O_EXCL, mode: 0o644)
            var chunk = [UInt8](repeating: 0, count: 1 << 20)
            while true {
                let count = try checkedCount("read", source) { read(from.raw, &chunk, chunk.count) }
                if count == 0 { break }
                try to.writeAll(Array(chunk[..<count]))
            }
        } catch {
            throw GenerationError(error)
        }
    }

    /// Hashes and lists the files, signs the list, flushes everything, and gives the directory its number.
    ///
    /// - Parameter seed: the private generation key.
    /// - Returns: the new generation's number.
    package func commit(seed: [UInt8]) throws(GenerationError) -> UInt64 {
        do throws(SystemError) {
            var files: [GenerationManifest.File] = []
            for name in try Files.names(in: path) where name.hasSuffix(".dat") {
                files.append(try describe(name))
            }
            while true {
                let number = store.nextNumber
                let manifest = GenerationManifest(
                    number: number, created: Clock.realtime / 1_000_000_000, files: files)
                let bytes: [UInt8]
                do throws(GenerationError) { bytes = try manifest.encoded(seed: seed) } catch {
                    throw SystemError("sign")
                }
                try Files.replace("\(path)/manifest", with: bytes, mode: 0o644)
                // Fails when another update took the number in the meantime; then take the next one.
                if rename(path, store.path(number)) == 0 {
                    try store.remember(number)
                    try Files.synchronizeDirectory(store.directory)
                    return number
                }
                guard errno == EEXIST || errno == ENOTEMPTY else { throw SystemError("rename", path) }
            }
        } catch {
            throw GenerationError(error)
        }
    }

    /// Throws everything away.
    package func discard() {
        try? Files.remove(path)
    }

    private func describe(_ name: String) throws(SystemError) -> GenerationManifest.File {
        let file = try Descriptor.open("\(path)/\(name)", O_RDONLY | O_NOFOLLOW)
        _ = try checked("fchmod", name) { fchmod(file.raw, 0o644) }
        try file.synchronize()
        let info = try file.status()
        let mapping = try Mapping(file, size: Int(info.st_size))
        var digest = [UInt8](repeating: 0, count: 32)
        guard CCrypto_digest(CCRYPTO_SHA256, mapping.bytes.baseAddress, mapping.bytes.count, &digest) == 1 else {
            throw SystemError("digest", name, code: EIO)
        }
        return GenerationManifest.File(
            name: name, size: UInt64(info.st_size), inode: UInt64(info.st_ino), digest: hexadecimal(digest))
    }
}
