import CLinux
import Synchronization

/// A shared object that this process has loaded; unloaded when the last reference goes.
///
/// An unchanged module is the same file in two generations, and is loaded once: opening it again under the other
/// generation's path would make the system's loader remember one more name for it, for as long as it stays loaded.
final class Library: @unchecked Sendable {
    private let handle: UnsafeMutableRawPointer
    let name: String

    /// Which file it is, whatever its path.
    struct Identity: Hashable, Sendable {
        let device: UInt64
        let inode: UInt64
    }

    private struct Loaded: @unchecked Sendable {
        weak var library: Library?
    }

    private static let loaded = Mutex<[Identity: Loaded]>([:])

    /// The library of a file: the one that is loaded already, or a new one.
    ///
    /// - Parameters:
    ///   - path: absolute.
    ///   - identity: of the open file that was verified.
    static func open(path: String, name: String, identity: Identity) throws(LoadError) -> Library {
        if let library = loaded.withLock({ $0[identity]?.library }) { return library }
        let library = try Library(path: path, name: name)
        loaded.withLock { table in
            table = table.filter { $0.value.library != nil }
            table[identity] = Loaded(library: library)
        }
        return library
    }

    /// - Parameter path: absolute.
    init(path: String, name: String) throws(LoadError) {
        guard let handle = CLinux_dlopen(path, 0) else {
            throw LoadError(name, "dlopen", String(cString: CLinux_dlerror()))
        }
        self.handle = handle
        self.name = name
    }

    deinit {
        _ = CLinux_dlclose(handle)
    }

    func symbol(_ symbol: String) throws(LoadError) -> UnsafeMutableRawPointer {
        guard let address = CLinux_dlsym(handle, symbol) else {
            throw LoadError(name, "symbol", "no symbol \(symbol)")
        }
        return address
    }

    /// Loads a library of the system and keeps it for ever: its own static data is not made to be loaded
    /// again and again (measured: some libraries leak at each unloading).
    static func pin(_ soname: String, for module: String) throws(LoadError) {
        guard CLinux_dlopen(soname, 1) != nil else {
            throw LoadError(module, "library", String(cString: CLinux_dlerror()))
        }
    }
}
