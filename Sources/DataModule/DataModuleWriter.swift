import Glibc
package import Platform

/// Writes a data module: an ELF shared object that only holds bytes.
///
/// The data goes to the file as it comes; the head (ELF header, notes, symbol, dynamic section), whose size does
/// not depend on the data, is written by `finish`. Until then the file is no module. Equal input gives equal bytes.
package final class DataModuleWriter {
    private let file: Descriptor
    private let manifest: [UInt8]
    private let dataOffset: UInt64
    /// Number of data bytes so far.
    package private(set) var size: UInt64 = 0

    /// - Parameters:
    ///   - file: an empty file, open for reading and writing.
    ///   - manifest: becomes the manifest note.
    /// - Throws: when the manifest has a control character.
    package init(file: Descriptor, manifest: DataManifest) throws(DataModuleError) {
        self.file = file
        self.manifest = try manifest.text()
        dataOffset = ModuleHead.size(manifest: self.manifest.count)
    }

    /// Adds data at the end.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(DataModuleError) {
        try write(bytes, at: size)
        size += UInt64(bytes.count)
    }

    /// Adds data at the end.
    package func append(_ bytes: [UInt8]) throws(DataModuleError) {
        try lend(bytes) { buffer throws(DataModuleError) in try append(buffer) }
    }

    /// Leaves zeros up to the next multiple of an alignment.
    ///
    /// - Parameter alignment: a power of two, at most a page.
    package func align(to alignment: UInt64) {
        // Holes of a file read as zeros.
        size = (size + alignment - 1) & ~(alignment - 1)
    }

    /// Writes the head. The writer must not be used afterwards.
    ///
    /// - Returns: where in the file the signature note's EM_SIGNATURE_SIZE bytes lie; they are zero.
    package func finish() throws(DataModuleError) -> UInt64 {
        guard size > 0 else { throw DataModuleError("a data module without data") }
        let head = try ModuleHead(manifest: manifest, dataOffset: dataOffset, dataSize: size)
        do throws(SystemError) {
            _ = try checked("ftruncate") { ftruncate(file.raw, off_t(dataOffset + size)) }
        } catch {
            throw DataModuleError(error)
        }
        try lend(head.bytes) { buffer throws(DataModuleError) in try writeRaw(buffer, at: 0) }
        return head.signatureOffset
    }

    private func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(DataModuleError) {
        try writeRaw(bytes, at: dataOffset + offset)
    }

    private func writeRaw(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(DataModuleError) {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            do throws(SystemError) {
                done += try checkedCount("pwrite") {
                    pwrite(file.raw, rest.baseAddress, rest.count, off_t(offset) + off_t(done))
                }
            } catch {
                throw DataModuleError(error)
            }
        }
    }
}

/// Lends an array's bytes to a body that throws.
func lend<T: BitwiseCopyable>(
    _ elements: [T], _ body: (UnsafeRawBufferPointer) throws(DataModuleError) -> Void
) throws(DataModuleError) {
    var failure: DataModuleError?
    elements.withUnsafeBytes { buffer in
        do throws(DataModuleError) { try body(buffer) } catch { failure = error }
    }
    if let failure { throw failure }
}
