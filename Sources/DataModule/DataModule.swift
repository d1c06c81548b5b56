import Glibc
package import Platform

/// Writing a data module in one step.
package enum DataModule {
    /// Writes a compiled database as a module file, first under another name, then in its place at once.
    ///
    /// The file is not signed; it is on the disk when this returns.
    ///
    /// - Parameters:
    ///   - database: what it holds.
    ///   - manifest: what it says about itself.
    ///   - path: the file; one that exists is replaced, never changed, because it may be mapped.
    /// - Throws: when the manifest cannot be written so, or a system call failed; then the old file stands.
    package static func write(
        _ database: CompiledDatabase, manifest: DataManifest, to path: String
    ) throws(DataModuleError) {
        let temporary = "\(path).new.\(getpid())"
        var failure: DataModuleError?
        do throws(SystemError) {
            let file = try Descriptor.open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o644)
            do throws(DataModuleError) {
                try write(database, manifest: manifest, to: file)
            } catch { failure = error }
            if failure == nil {
                try file.synchronize()
                _ = try checked("rename", path) { rename(temporary, path) }
                try Files.synchronizeDirectory(Files.parent(of: path))
            }
        } catch {
            failure = DataModuleError(error)
        }
        guard let failure else { return }
        unlink(temporary)
        throw failure
    }

    /// Writes a compiled database as a module into an open, empty file.
    package static func write(
        _ database: CompiledDatabase, manifest: DataManifest, to file: Descriptor
    ) throws(DataModuleError) {
        let writer = try DataModuleWriter(file: file, manifest: manifest)
        try database.write(to: writer)
        _ = try writer.finish()
    }
}
