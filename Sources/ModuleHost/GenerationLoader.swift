import Bytes
import CCrypto
import CModuleABI
package import Generations
import Glibc
import Platform
import Verifier

extension Generation {
    /// Loads a generation from its directory: signed manifest, files, em000, and by it all the others.
    ///
    /// - Parameters:
    ///   - directory: `@BASEDIR@/generations/<n>`.
    ///   - thorough: verify every byte, as the canary does. Otherwise the manifest's signature, the identity of the
    ///     files (inode, size, owner) and their structure are checked, which takes the same short time at any size.
    ///   - log: where modules write to.
    /// - Throws: a `LoadError` that names the file and the check.
    package static func load(
        directory: String, trust: Trust, thorough: Bool, log: @escaping LogSink = { _, _ in }
    ) throws(LoadError) -> Generation {
        let manifest: GenerationManifest
        do throws(GenerationError) {
            manifest = try GenerationStore.manifest(in: directory, trust: trust)
        } catch {
            throw LoadError("manifest", "manifest", error.description)
        }
        var files: [ModuleFile] = []
        for entry in manifest.files {
            files.append(try ModuleFile(entry, directory: directory, thorough: thorough))
        }
        return try GenerationLoader(files: files, trust: trust, thorough: thorough, log: log)
            .load(number: manifest.number)
    }
}

/// One load of one generation.
struct GenerationLoader {
    let files: [ModuleFile]
    let trust: Trust
    let thorough: Bool
    let log: Generation.LogSink

    func load(number: UInt64) throws(LoadError) -> Generation {
        guard let loader = files.first(where: { $0.name.hasPrefix("em000") }) else {
            throw LoadError("em000_64.dat", "files", "the generation has no loader module")
        }
        let others = files.filter { $0.name != loader.name }
        let plan = try order(others, by: loader)
        var code: [LoadedModule] = []
        var data: [DataFile] = []
        var infos = [plan.loaderInfo]
        for step in plan.steps {
            let file = others[step.index]
            infos.append(ModuleInfo(file: file.name, id: step.id, version: step.version, isData: step.isData))
            if step.isData { data.append(try openData(file)) } else { code.append(try openCode(file)) }
        }
        // em000 did its work and goes; it is loaded again for the next generation.
        return try Generation(number: number, loaded: code, data: data, infos: infos)
    }

    private struct Step {
        let index: Int
        let id: String
        let version: String
        let isData: Bool
    }

    /// Asks em000 to verify the other modules and to put them in order.
    private func order(
        _ others: [ModuleFile], by loader: ModuleFile
    ) throws(LoadError) -> (steps: [Step], loaderInfo: ModuleInfo) {
        // em000 itself is verified by the host, with the same code.
        let module = try openCode(loader, verify: true)
        try module.start(nil)
        guard let instance = module.instance, let table = "em.loader/1".withCString({ module.interface($0) }) else {
            throw LoadError(loader.name, "interface", "em000 does not offer em.loader/1")
        }
        if thorough { try module.selfTest() }
        let names = others.map { Array($0.name.utf8) }
        var list = others.map { file in
            var entry = em_file()
            entry.struct_size = UInt32(MemoryLayout<em_file>.size)
            entry.bytes = em_slice(file.bytes)
            entry.thorough = thorough ? 1 : 0
            return entry
        }
        // The names in one buffer that stays put during the call.
        let joined = names.flatMap { $0 }
        var message = [UInt8](repeating: 0, count: 512)
        var length: UInt64 = 0
        let status = joined.withUnsafeBufferPointer { buffer -> em_status in
            var offset = 0
            for index in list.indices {
                list[index].name = em_slice(ByteView(buffer).slice(offset, offset + names[index].count))
                offset += names[index].count
            }
            return trust.publishers.withUnsafeBufferPointer { keys in
                table.assumingMemoryBound(to: em_loader_v1.self).pointee.plan(
                    instance, em_slice(ByteView(keys)), &list, UInt32(list.count), &message, UInt64(message.count),
                    &length)
            }
        }
        guard status == EM_OK else {
            let text = String(decoding: message[..<min(message.count, Int(clamping: length))], as: UTF8.self)
            let parts = text.split(separator: ":", maxSplits: 2).map { $0.drop { $0 == " " } }
            guard parts.count == 3 else { throw LoadError(loader.name, "plan", text) }
            throw LoadError(String(parts[0]), String(parts[1]), String(parts[2]))
        }
        let steps = list.enumerated().sorted { $0.element.order < $1.element.order }.map { index, entry in
            Step(
                index: index, id: printable(ByteView(entry.id)), version: printable(ByteView(entry.version)),
                isData: entry.kind == EM_FILE_DATA)
        }
        return (
            steps, ModuleInfo(file: loader.name, id: module.idText, version: module.version, isData: false)
        )
    }

    private func openCode(_ file: ModuleFile, verify: Bool = false) throws(LoadError) -> LoadedModule {
        let verified = try file.verified(keys: trust.publishers, thorough: verify && thorough)
        guard verified.manifest.kind == .code else { throw LoadError(file.name, "manifest", "not a code module") }
        for library in verified.image.neededLibraries {
            try Library.pin(String(decoding: library.buffer, as: UTF8.self), for: file.name)
        }
        let library = try Library.open(path: file.path, name: file.name, identity: file.identity)
        let entry = try library.symbol("em_module_entry")
        typealias Entry = @convention(c) () -> UnsafePointer<em_module>?
        return try LoadedModule(
            file: file.name, table: unsafeBitCast(entry, to: Entry.self)(), library: library,
            context: HostContext(moduleName: file.name, log: log))
    }

    private func openData(_ file: ModuleFile) throws(LoadError) -> DataFile {
        let verified = try file.verified(keys: trust.publishers, thorough: false)
        guard let data = verified.data else { throw LoadError(file.name, "manifest", "not a data module") }
        let library = try Library.open(path: file.path, name: file.name, identity: file.identity)
        let address = try library.symbol("em_module_data")
        let view = ByteView(base: UnsafePointer(address.assumingMemoryBound(to: UInt8.self)), count: data.count)
        return try DataFile(fileID: file.id, view: view, library: library)
    }
}
