import CModuleABI
import Generations
import JSON
import Platform
import Programs
import Verifier

/// `esets_mod list`
struct ListCommand {
    let context: Context

    init(_ context: Context) { self.context = context }

    func run(_ operands: [String]) {
        guard operands.isEmpty else { Main.program.fail(usage: UsageError("list takes no files")) }
        let number = context.generation()
        let manifest: GenerationManifest
        do throws(GenerationError) {
            manifest = try context.store.manifest(number, trust: context.trust())
        } catch {
            Main.program.fail(error.description)
        }
        var rows: [ModuleDescription] = []
        for file in manifest.files {
            let mapping = context.map("\(context.store.path(number))/\(file.name)")
            do throws(Refusal) {
                rows.append(try ModuleDescription(name: file.name, mapping))
            } catch {
                Main.program.fail("\(file.name): \(text(error))")
            }
        }
        if context.printsJSON {
            Console.print(
                JSONValue.object([
                    "generation": .integer(Int64(clamping: number)), "modules": .array(rows.map { $0.json() }),
                ])
                .text(.pretty))
            return
        }
        Console.print("Generation \(number)")
        for row in rows {
            var line = "\(row.name.padded(14))  \(row.id.padded(18))  \(row.version.padded(12))  "
            line += "\(row.isData ? "data" : "code")  \(String(row.size).padded(10))"
            if let database = row.database { line += "  \(database.signatures) signatures" }
            if !row.isData { line += row.isSigned ? "  signed" : "  NOT SIGNED" }
            Console.print(line)
        }
    }
}

extension String {
    /// Filled up with spaces.
    func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
