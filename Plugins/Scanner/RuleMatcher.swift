import BytesE
import CModuleABI
import CTime
import Matching
import ModuleKit
import YARAEngine

/// YARA rules for the objects of one scan. Costs nothing until a rule has something that matched.
final class RuleMatcher {
    private let tables: RuleTables
    private let scan: ScanContext
    private var evaluator: Evaluator?
    private let subject: UnsafeMutablePointer<em_object>
    private var hasBegun = false

    /// nil when the database has no rules.
    init?(_ tables: RuleTables?, _ scan: ScanContext) {
        self.scan = scan
        subject = .allocate(capacity: 1)
        subject.initialize(to: em_object())
        guard let tables, !tables.isEmpty else {
            self.tables = RuleTables()
            return nil
        }
        self.tables = tables
    }

    deinit { subject.deallocate() }

    /// Decides about a rule of which something matched in a form of an object.
    func isTrue(_ rule: em_rule, in form: ByteView, of object: em_object, _ hits: Hits) -> Bool {
        let evaluator = evaluator ?? make()
        if !hasBegun {
            hasBegun = true
            subject.pointee = object
            var facts = Evaluator.Facts()
            facts.path = ByteView(object.name)
            facts.name = lastPart(facts.path)
            facts.type = typeName(object.type)
            facts.now = CTime_now()
            facts.scan = scan.handle
            facts.subject = UnsafeRawPointer(subject)
            let scan = scan
            evaluator.begin(form, facts: facts, hits: hits) {
                do throws(ModuleError) {
                    try scan.check()
                    return true
                } catch { return false }
            }
        }
        return evaluator.isTrue(rule)
    }

    /// Ends the matching of a form; the reason when rules were not decided.
    func end() -> StaticString? {
        guard hasBegun, let evaluator else { return nil }
        hasBegun = false
        defer { evaluator.end() }
        if evaluator.isBroken { return "the signature database is damaged" }
        return evaluator.isOverLimit ? "limit: work of rules" : nil
    }

    private func make() -> Evaluator {
        let services = scan.services
        let made = Evaluator(tables) { path, parameters in
            for provider in services.providers(of: "em.function/1") {
                guard let table = provider.table?.assumingMemoryBound(to: em_function_v1.self),
                    table.pointee.struct_size >= UInt32(MemoryLayout<em_function_v1>.size),
                    let functions = table.pointee.functions
                else { continue }
                for index in 0..<Int(min(table.pointee.count, 4096)) {
                    let entry = functions[index]
                    guard isNamed(entry.name, path),
                        let function = ForeignFunction(entry, instance: provider.instance), function.takes(parameters)
                    else { continue }
                    return function
                }
            }
            return nil
        }
        evaluator = made
        return made
    }
}

private func isNamed(_ name: UnsafePointer<CChar>?, _ path: ByteView) -> Bool {
    guard let name else { return false }
    for index in 0..<path.count where name[index] == 0 || UInt8(bitPattern: name[index]) != path[index] { return false }
    return name[path.count] == 0
}

private func lastPart(_ path: ByteView) -> ByteView {
    var at = path.count
    while at > 0, path[at - 1] != UInt8(ascii: "/"), path[at - 1] != UInt8(ascii: "\\") { at -= 1 }
    return path.dropFirst(at)
}

/// What rules know as `filetype`.
private func typeName(_ type: UInt32) -> ByteView {
    switch type {
    case EM_TYPE_MAIL: return ByteView("MAIL")
    case EM_TYPE_TEXT: return ByteView("TEXT")
    case EM_TYPE_HTML: return ByteView("HTML")
    case EM_TYPE_PE: return ByteView("PE")
    case EM_TYPE_ELF: return ByteView("ELF")
    case EM_TYPE_MACHO: return ByteView("MACHO")
    case EM_TYPE_OLE2: return ByteView("OLE2")
    case EM_TYPE_ZIP: return ByteView("ZIP")
    case EM_TYPE_GZIP: return ByteView("GZIP")
    case EM_TYPE_TAR: return ByteView("TAR")
    case EM_TYPE_PDF: return ByteView("PDF")
    case EM_TYPE_RTF: return ByteView("RTF")
    case EM_TYPE_GRAPHICS: return ByteView("GRAPHICS")
    case EM_TYPE_FLASH: return ByteView("FLASH")
    case EM_TYPE_JAVA: return ByteView("JAVA")
    case EM_TYPE_SCRIPT: return ByteView("SCRIPT")
    case EM_TYPE_ARCHIVE: return ByteView("ARCHIVE")
    case EM_TYPE_LNK: return ByteView("LNK")
    default: return ByteView()
    }
}
