import Bytes
import CModuleABI
import Generations
import Glibc

/// One module of a loaded generation, for people.
package struct ModuleInfo: Sendable, Equatable {
    /// File name, e.g. "em001_64.dat".
    package let file: String
    /// e.g. "em001.scanner"
    package let id: String
    package let version: String
    package let isData: Bool
}

/// A loaded generation: the modules that were verified together, initialised and linked to each other.
///
/// Reference counted: scans hold the generation they run on, and when the last one ends the modules are
/// ended in reverse order and unloaded. That is all there is to swapping.
package final class Generation: @unchecked Sendable {
    package let number: UInt64
    package let modules: [ModuleInfo]
    /// Version of the signature database (em002); 0 when there is none.
    package let databaseVersion: UInt64
    /// Number of signatures in it.
    package let signatureCount: UInt64

    // In load order. Ended in reverse order by `deinit`.
    private var loaded: [LoadedModule]
    private let data: [DataFile]
    private(set) var scanInstance: OpaquePointer?
    private(set) var scanTable: UnsafePointer<em_scan_v1>

    /// Where modules write log lines to: a level `EM_LOG_…` and one line.
    package typealias LogSink = @Sendable (_ level: UInt32, _ text: String) -> Void

    /// Starts the modules, in this order. Control thread only.
    init(number: UInt64, loaded: [LoadedModule], data: [DataFile], infos: [ModuleInfo]) throws(LoadError) {
        self.number = number
        self.loaded = loaded
        self.data = data
        modules = infos
        var database: (version: UInt64, count: UInt64) = (0, 0)
        for file in data where file.header.kind == EM_DATABASE_SIGNATURES {
            database = (file.header.version, file.header.signatures)
        }
        databaseVersion = database.version
        signatureCount = database.count
        scanInstance = nil
        scanTable = Self.noScanner
        // `self` is whole from here on; when a module does not start, `deinit` ends those that did.
        for module in loaded { try module.start(self) }
        guard let scanner = "em.scan/1".withCString({ provider(of: $0, at: 0) }) else {
            throw LoadError("generation \(number)", "modules", "no module offers em.scan/1")
        }
        scanInstance = scanner.instance
        scanTable = scanner.table.assumingMemoryBound(to: em_scan_v1.self)
    }

    deinit {
        while !loaded.isEmpty { loaded.removeLast() }
    }

    /// Runs the self-test of every module.
    package func selfTest() throws(LoadError) {
        for module in loaded { try module.selfTest() }
    }

    /// The formats that a module opens (em.container/1), in its own order; none for a module that opens nothing.
    ///
    /// - Parameter file: its file's name, e.g. "em003_64.dat".
    package func formats(of file: String) -> [String] {
        guard let module = loaded.first(where: { $0.file == file }),
            let table = "em.container/1".withCString({ module.interface($0) }),
            var next = table.assumingMemoryBound(to: em_container_v1.self).pointee.formats
        else { return [] }
        var names: [String] = []
        while let name = next.pointee {
            names.append(String(cString: name))
            next += 1
        }
        return names
    }

    /// Counters that the modules keep (em.host.metrics/1), by "module.name".
    package var metrics: [String: UInt64] {
        var result: [String: UInt64] = [:]
        for module in loaded { result.merge(module.counters) { $0 &+ $1 } }
        return result
    }

    /// The index-th module, in load order, that offers an interface.
    func provider(
        of interface: UnsafePointer<CChar>, at index: Int
    ) -> (id: UnsafePointer<CChar>, instance: OpaquePointer, table: UnsafeRawPointer)? {
        var skip = index
        for module in loaded {
            guard let instance = module.instance, let table = module.interface(interface) else { continue }
            if skip == 0 { return (module.id, instance, table) }
            skip -= 1
        }
        return nil
    }

    /// The content of a data module by its file's name without suffix, e.g. "em002".
    func dataModule(_ file: UnsafePointer<CChar>) -> ByteView? {
        for module in data where strcmp(module.fileID, file) == 0 { return module.view }
        return nil
    }

    /// Stands where the scanner will be, while the modules start.
    private nonisolated(unsafe) static let noScanner: UnsafePointer<em_scan_v1> = {
        let table = UnsafeMutablePointer<em_scan_v1>.allocate(capacity: 1)
        table.initialize(
            to: em_scan_v1(
                open: { _, _, _, _ in EM_E_STATE }, run: { _ in EM_E_STATE }, close: { _ in }))
        return UnsafePointer(table)
    }()
}
