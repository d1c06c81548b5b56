import BytesE
import CModuleABI
import DatabaseSections
import ModuleKit

/// Passwords that the signature database has for archives of a file type, in its order; none without a database.
///
/// - Parameter type: what signatures call the archive, "CL_TYPE_ZIP"; nil: those for any.
func databasePasswords(_ type: StaticString?, _ scan: ScanContext) -> [[UInt8]] {
    guard let data = try? scan.services.dataModule("em002"), let table = try? SectionTable(data),
        let entries = try? table.section(EM_SECTION_PASSWORDS, element: MemoryLayout<em_password>.stride),
        entries.count > 0, let text = try? table.section(EM_SECTION_METADATA_TEXT, element: 1).bytes
    else { return [] }
    let code = type.map { FileType.code($0) }
    var result: [[UInt8]] = []
    for index in 0..<entries.count {
        guard result.count < mostPasswords, let entry = entries.element(index, as: em_password.self) else { break }
        guard entry.container == 0 || entry.container == code else { continue }
        let password = text.slice(Int(entry.text), Int(entry.text) + Int(entry.length))
        if !password.isEmpty { result.append(password.array) }
    }
    return result
}

/// Passwords of the database that are tried on one archive.
private let mostPasswords = 1000
