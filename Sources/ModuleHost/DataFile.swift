import Bytes
import CModuleABI

/// The content of a data module, in its mapping.
final class DataFile: @unchecked Sendable {
    /// File name without "_64.dat", as a C string: "em002".
    let fileID: [CChar]
    let view: ByteView
    let header: em_database_header
    private let library: Library?
    private let owned: ObjectBytes?

    /// - Parameter library: keeps the mapping.
    init(fileID: String, view: ByteView, library: Library?, owned: ObjectBytes? = nil) throws(LoadError) {
        self.fileID = Array(fileID.utf8CString)
        self.view = view
        self.library = library
        self.owned = owned
        guard let base = view.buffer.baseAddress, view.count >= MemoryLayout<em_database_header>.size else {
            throw LoadError(fileID, "database", "shorter than a database header")
        }
        header = UnsafeRawPointer(base).loadUnaligned(as: em_database_header.self)
        guard header.magic == EM_DATABASE_MAGIC, header.size <= UInt64(view.count) else {
            throw LoadError(fileID, "database", "no database header, or a size beyond the file")
        }
    }
}
