import CLinux

/// A shared object that this process has loaded; unloaded when the last reference goes.
final class Library: @unchecked Sendable {
    private let handle: UnsafeMutableRawPointer
    let name: String

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
