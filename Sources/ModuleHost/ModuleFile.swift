import Bytes
import CCrypto
import Generations
import Glibc
import Platform
import Verifier

/// A module file of a generation, mapped and known to be the one that its manifest names.
struct ModuleFile {
    let name: String
    let path: String
    let identity: Library.Identity
    private let mapping: Mapping

    var bytes: ByteView { ByteView(mapping.bytes) }

    /// "em002" for "em002_64.dat".
    var id: String { String(name.prefix { $0 != "_" && $0 != "." }) }

    /// Opens a file and compares it with its entry in the manifest.
    init(_ entry: GenerationManifest.File, directory: String, thorough: Bool) throws(LoadError) {
        name = entry.name
        path = "\(directory)/\(entry.name)"
        do throws(SystemError) {
            let file = try Descriptor.open(path, O_RDONLY | O_NOFOLLOW)
            let info = try file.status()
            guard info.st_mode & S_IFMT == S_IFREG else { throw SystemError("open", path, code: EINVAL) }
            guard UInt64(info.st_size) == entry.size else {
                throw SystemError("size differs from the manifest's", path, code: EINVAL)
            }
            var parent = stat()
            guard lstat(directory, &parent) == 0 else { throw SystemError("lstat", directory) }
            guard info.st_uid == parent.st_uid || info.st_uid == 0, info.st_mode & (S_IWGRP | S_IWOTH) == 0 else {
                throw SystemError("owner or mode lets others change it", path, code: EPERM)
            }
            identity = Library.Identity(device: UInt64(info.st_dev), inode: UInt64(info.st_ino))
            mapping = try Mapping(file, size: Int(info.st_size))
            // Another inode is another file, e.g. one from a backup: believe its content only.
            if thorough || UInt64(info.st_ino) != entry.inode {
                var digest = [UInt8](repeating: 0, count: 32)
                guard CCrypto_digest(CCRYPTO_SHA256, mapping.bytes.baseAddress, mapping.bytes.count, &digest) == 1,
                    hexadecimal(digest) == entry.digest
                else { throw SystemError("SHA-256 differs from the manifest's", path, code: EINVAL) }
            }
        } catch {
            let isOwn = error.call.contains(" ")
            throw LoadError(entry.name, isOwn ? "manifest" : "file", isOwn ? error.call : error.description)
        }
    }

    func verified(keys: [UInt8], thorough: Bool) throws(LoadError) -> Verifier.Verified {
        do throws(Refusal) {
            return try keys.withUnsafeBufferPointer { keys throws(Refusal) in
                try Verifier.verify(bytes, keys: ByteView(keys), thorough: thorough)
            }
        } catch {
            throw LoadError(
                name, String(decoding: error.check.bytes, as: UTF8.self),
                String(decoding: error.reason.bytes, as: UTF8.self))
        }
    }
}
