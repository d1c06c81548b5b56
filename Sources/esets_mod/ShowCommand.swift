import Bytes
import CModuleABI
import Generations
import JSON
import ModuleHost
import Platform
import Programs
import Verifier

/// `esets_mod show MODULE`
struct ShowCommand {
    let context: Context

    init(_ context: Context) { self.context = context }

    func run(_ operands: [String]) {
        guard operands.count == 1 else { Main.program.fail(usage: UsageError("show takes one module or file")) }
        if let pattern = context.arguments.value("find") {
            CatalogueCommands(context).find(pattern, in: operands[0])
            return
        }
        let path = context.path(of: operands[0])
        let mapping = context.map(path)
        do throws(Refusal) {
            let module = try ModuleDescription(name: path, mapping)
            let formats = formats(operands[0], module)
            if context.printsJSON {
                Console.print(module.json(formats: formats).text(.pretty))
            } else {
                show(module)
                for format in formats { Console.print("opens \(format)") }
            }
        } catch {
            Main.program.fail("\(path): \(text(error))")
        }
    }

    /// The formats that a module of the generation opens. It must be loaded to be asked, so a file is not: whoever looks
    /// at a file may not trust it yet.
    private func formats(_ operand: String, _ module: ModuleDescription) -> [String] {
        guard !module.isData, !operand.contains("/"), !Files.exists(operand) else { return [] }
        do throws(LoadError) {
            let generation = try Generation.load(
                directory: context.store.path(context.generation()), trust: context.trust(), thorough: false)
            return generation.formats(of: operand.hasSuffix(".dat") ? operand : "\(operand)_64.dat")
        } catch {
            Console.error("formats are not known: \(error)")
            return []
        }
    }

    private func show(_ module: ModuleDescription) {
        Console.print("\(module.name), \(module.size) bytes, \(module.isSigned ? "signed" : "not signed")")
        Console.write(text(module.verified.manifest.text))
        for segment in module.verified.image.segments where segment.type == 1 {
            let flags =
                "\(segment.isReadable ? "r" : "-")\(segment.isWritable ? "w" : "-")\(segment.isExecutable ? "x" : "-")"
            Console.print("segment \(flags) \(segment.memorySize) bytes")
        }
        for library in module.verified.image.neededLibraries { Console.print("needs library \(text(library))") }
        guard let header = module.database, let data = module.verified.data else { return }
        Console.print(
            "database kind \(header.kind), format \(header.format), version \(header.version), "
                + "\(header.signatures) signatures")
        for index in 0..<Int(header.section_count) {
            let offset = Int(header.header_size) + index * MemoryLayout<em_database_section>.size
            let bytes = data.slice(offset, offset + MemoryLayout<em_database_section>.size)
            guard bytes.count == MemoryLayout<em_database_section>.size, let base = bytes.buffer.baseAddress else {
                break
            }
            let section = UnsafeRawPointer(base).loadUnaligned(as: em_database_section.self)
            Console.print("section \(section.id): \(section.count) elements, \(section.length) bytes")
        }
        CatalogueCommands(context).statistics(data)
    }
}
