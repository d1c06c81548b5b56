import BytesE
import CModuleABI
import DatabaseSections
import Lending
import Matching
import ModuleKit
import YARAEngine

/// The instance of em001: what all scans share, read-only.
final class Scanner {
    let services: HostServices
    /// The signatures of em002; nil when the generation has none.
    let database: Database?
    /// Its YARA rules.
    let ruleTables: RuleTables?
    /// Working memory that scans leave to later ones.
    let scratches = LendingPool { Scratch() }

    /// Fails when em002 is there but cannot be used.
    init(_ services: HostServices) throws(ModuleError) {
        self.services = services
        guard let bytes = try? services.dataModule("em002") else {
            database = nil
            ruleTables = nil
            return
        }
        do throws(DatabaseError) {
            database = try Database(bytes)
            ruleTables = try RuleTables(bytes)
        } catch {
            throw .data
        }
    }

    /// The modules that open containers, in load order.
    func containers() -> [Container] {
        var result: [Container] = []
        for provider in services.providers(of: "em.container/1") {
            guard let table = provider.table, let instance = provider.instance else { continue }
            result.append(
                Container(instance: instance, table: table.assumingMemoryBound(to: em_container_v1.self)))
        }
        return result
    }

    /// The modules that want to see the objects of this scan. One that cannot begin leaves the root not scanned.
    func analyses(_ scan: ScanContext, _ root: UInt64) -> [Analysis] {
        var result: [Analysis] = []
        for provider in services.providers(of: "em.analyse/1") {
            guard let table = provider.table, let instance = provider.instance else { continue }
            do throws(ModuleError) {
                let analysis = try Analysis.begin(
                    instance, table.assumingMemoryBound(to: em_analyse_v1.self), scan)
                if let analysis { result.append(analysis) }
            } catch {
                scan.report(EM_FINDING_NOTSCANNED, object: root, name: ByteView("error in an analysis module"))
            }
        }
        return result
    }

    /// Why the scanner does not work, or nil.
    func selfTest() -> StaticString? {
        if contentType(of: ByteView("MZ\u{90}\u{00}")) != EM_TYPE_PE { return "an MZ header is not seen as PE" }
        if contentType(of: ByteView("%PDF-1.7\n")) != EM_TYPE_PDF { return "a PDF header is not seen as PDF" }
        if contentType(of: ByteView("<html><body>")) != EM_TYPE_HTML { return "HTML is not seen as HTML" }
        if contentType(of: ByteView("plain text\n")) != EM_TYPE_TEXT { return "text is not seen as text" }
        return nil
    }
}
