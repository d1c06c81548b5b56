import BytesE
import CModuleABI
import Matching
import ModuleKit

/// Matches the objects of one scan against the signatures of em002.
struct ObjectMatcher {
    private let database: Database?
    private let scan: ScanContext
    private let scratch: Scratch
    private let reportsUnwanted: Bool

    init(_ scanner: Scanner, _ scan: ScanContext) {
        let wanted = scan.number("av_scan_pattern", otherwise: 1) != 0
        database = wanted ? scanner.database : nil
        self.scan = scan
        scratch = Scratch()
        reportsUnwanted = scan.number("av_scan_app_unwanted", otherwise: 0) != 0
    }

    /// Reports what matches the object.
    ///
    /// - Throws: `.cancelled` when the scan must end.
    func match(_ object: em_object) throws(ModuleError) {
        guard let database else { return }
        var failure: ModuleError?
        let outcome = database.match(
            ByteView(object.data), type: object.type, scratch: scratch,
            check: {
                do throws(ModuleError) {
                    try scan.check()
                    return true
                } catch {
                    failure = error
                    return false
                }
            },
            report: { match in
                let signature = database.signature(match.signature)
                let kind = kind(of: signature)
                guard kind != EM_FINDING_UNWANTED || reportsUnwanted else { return }
                scan.report(
                    kind, object: object.id, name: signature?.name ?? ByteView("unnamed signature"),
                    source: signature?.source ?? ByteView(), offset: UInt64(max(0, match.offset)))
            })
        switch outcome {
        case .complete, .allowed: return
        case .cancelled: throw failure ?? .cancelled
        case .limit: notScanned(object, "limit: work of the pattern matcher")
        case .failed: notScanned(object, "the signature database is damaged")
        }
    }

    private func kind(of signature: Signature?) -> UInt32 {
        guard let signature else { return EM_FINDING_INFECTED }
        return signature.flags & EM_SIGNATURE_UNWANTED != 0 ? EM_FINDING_UNWANTED : EM_FINDING_INFECTED
    }

    private func notScanned(_ object: em_object, _ reason: StaticString) {
        scan.report(EM_FINDING_NOTSCANNED, object: object.id, name: ByteView(reason))
    }
}
