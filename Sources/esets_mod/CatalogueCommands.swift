import Bytes
import CModuleABI
import DataModule
import JSON
import Platform
import Programs
import Verifier

/// What `esets_mod` says about the signatures of em002.
struct CatalogueCommands {
    let context: Context

    init(_ context: Context) { self.context = context }

    /// `esets_mod diff OLD NEW`
    func diff(_ operands: [String]) {
        guard operands.count == 2 else { Main.program.fail(usage: UsageError("diff takes two modules or files")) }
        let (oldMapping, old) = open(operands[0])
        let (newMapping, new) = open(operands[1])
        let difference = CatalogueDifference(old: old, new: new)
        if context.printsJSON {
            Console.write("{\"came\":")
            printList(new) { difference.forEachNew($0) }
            Console.write(",\"went\":")
            printList(old) { difference.forEachOld($0) }
            Console.print(
                ",\"old\":\(old.count),\"new\":\(new.count),\"old_version\":\(old.version),\"new_version\":\(new.version)}"
            )
        } else {
            let lines = Lines()
            difference.forEachOld { lines.add("- " + line($0, of: old)) }
            difference.forEachNew { lines.add("+ " + line($0, of: new)) }
            lines.flush()
            Console.print(
                "version \(old.version): \(old.count) signatures; version \(new.version): \(new.count); "
                    + "\(difference.came) came, \(difference.went) went")
        }
        withExtendedLifetime((oldMapping, newMapping)) {}
    }

    /// `esets_mod show em002 --find=PATTERN`
    func find(_ pattern: String, in path: String) {
        let (mapping, catalogue) = open(path)
        let pattern = NamePattern(pattern)
        func forEach(_ body: (SignatureCatalogue.Entry) -> Void) {
            for index in 0..<catalogue.count {
                if let entry = catalogue[index], pattern.matches(entry.name) { body(entry) }
            }
        }
        if context.printsJSON {
            printList(catalogue, forEach)
            Console.write("\n")
        } else {
            let lines = Lines()
            forEach { lines.add(line($0, of: catalogue)) }
            lines.flush()
        }
        withExtendedLifetime(mapping) {}
    }

    /// What `show` prints below the sections.
    func statistics(_ data: ByteView) {
        guard let catalogue = SignatureCatalogue(data) else { return }
        var unwanted = 0
        var tests = 0
        for index in 0..<catalogue.count {
            guard let flags = catalogue[index]?.flags else { continue }
            if flags & EM_SIGNATURE_OPTIONAL != 0 { unwanted += 1 }
            if flags & EM_SIGNATURE_TEST != 0 { tests += 1 }
        }
        Console.print("\(catalogue.count) signatures, \(unwanted) of unwanted applications, \(tests) tests")
        for source in catalogue.sources {
            Console.print("source \(text(source.name)): \(source.signatures) signatures")
        }
    }

    /// Maps a module and finds its catalogue; the mapping must live as long as the catalogue is used.
    private func open(_ module: String) -> (Mapping, SignatureCatalogue) {
        let path = context.path(of: module)
        let mapping = context.map(path)
        do throws(Refusal) {
            let description = try ModuleDescription(name: path, mapping)
            guard let data = description.verified.data, let catalogue = SignatureCatalogue(data) else {
                Main.program.fail("\(path): holds no signatures")
            }
            return (mapping, catalogue)
        } catch {
            Main.program.fail("\(path): \(text(error))")
        }
    }

    private func line(_ entry: SignatureCatalogue.Entry, of catalogue: SignatureCatalogue) -> String {
        let source = entry.source < catalogue.sources.count ? text(catalogue.sources[entry.source].name) : "?"
        return "\(text(entry.name))  \(source):\(entry.line)\(kind(entry).map { "  \($0)" } ?? "")"
    }

    private func kind(_ entry: SignatureCatalogue.Entry) -> String? {
        if entry.flags & EM_SIGNATURE_TEST != 0 { return "test" }
        if entry.flags & EM_SIGNATURE_UNSAFE != 0 { return "unsafe" }
        return entry.flags & EM_SIGNATURE_UNWANTED != 0 ? "unwanted" : nil
    }

    /// A JSON array of signatures, printed as it comes: there may be millions.
    private func printList(
        _ catalogue: SignatureCatalogue, _ forEach: ((SignatureCatalogue.Entry) -> Void) -> Void
    ) {
        let lines = Lines(separator: ",\n")
        Console.write("[")
        forEach { entry in
            let source = entry.source < catalogue.sources.count ? text(catalogue.sources[entry.source].name) : ""
            var members: [String: JSONValue] = [
                "name": .string(text(entry.name)), "source": .string(source), "line": .integer(Int64(entry.line)),
            ]
            if let kind = kind(entry) { members["kind"] = .string(kind) }
            lines.add(JSONValue.object(members).text())
        }
        lines.flush()
        Console.write("]")
    }
}

/// Gathers output, so that millions of lines are not as many system calls.
private final class Lines {
    private var text = ""
    private let separator: String?
    private var isFirst = true

    /// - Parameter separator: what goes between; nil: every line ends.
    init(separator: String? = nil) {
        self.separator = separator
    }

    func add(_ line: String) {
        if let separator, !isFirst { text += separator }
        isFirst = false
        text += line
        if separator == nil { text += "\n" }
        if text.utf8.count > 65_536 { flush() }
    }

    func flush() {
        Console.write(text)
        text = ""
    }
}
