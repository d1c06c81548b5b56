import Bytes
package import CModuleABI

extension Generation {
    /// A generation whose code is linked into this program and whose data lies in its memory: for tests,
    /// sanitizers and fuzzing of the hosted build.
    ///
    /// - Parameters:
    ///   - code: module tables in load order, with their file names.
    ///   - data: contents of data modules by file id, e.g. "em002".
    package static func linked(
        number: UInt64 = 1, code: [(file: String, table: UnsafePointer<em_module>?)],
        data: [(id: String, bytes: [UInt8])],
        log: @escaping LogSink = { _, _ in }
    ) throws(LoadError) -> Generation {
        var loaded: [LoadedModule] = []
        var infos: [ModuleInfo] = []
        for (file, table) in code {
            let module = try LoadedModule(
                file: file, table: table, library: nil, context: HostContext(moduleName: file, log: log))
            infos.append(ModuleInfo(file: file, id: module.idText, version: module.version, isData: false))
            loaded.append(module)
        }
        var files: [DataFile] = []
        for (id, bytes) in data {
            let owned = ObjectBytes(bytes)
            files.append(try DataFile(fileID: id, view: owned.view, library: nil, owned: owned))
            infos.append(ModuleInfo(file: id, id: id, version: "", isData: true))
        }
        return try Generation(number: number, loaded: loaded, data: files, infos: infos)
    }
}
