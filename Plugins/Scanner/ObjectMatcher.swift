import BytesE
import CModuleABI
import Lending
import Matching
import ModuleKit

/// Matches the objects of one scan against the signatures of em002.
final class ObjectMatcher {
    private let database: Database?
    private let scan: ScanContext
    private let scratch: Scratch
    private let scratches: LendingPool<Scratch>
    private let rules: RuleMatcher?
    private let reportsUnwanted: Bool
    private let reportsUnsafe: Bool
    /// Every signature that matches is told, not only the first one.
    private let reportsAll: Bool
    private let normalizes: Bool
    /// Links of HTML mail are compared with what they show.
    let judgesLinks: Bool
    /// Signatures that were reported for the object at hand, so that each is told once for all its forms.
    private var reported: [Int] = []
    /// Whether one of them is more than potentially unwanted or unsafe, and no other one is wanted.
    private var isDecided = false
    /// What rules ask about the object at hand.
    private var facts = ObjectFacts()
    /// What signatures say that the object at hand is, besides what it is taken for: EM_TYPE_….
    private(set) var otherTypes: [UInt32] = []
    /// The object at hand is part of a message.
    private(set) var isInMail = false

    init(_ scanner: Scanner, _ scan: ScanContext) {
        let wanted = scan.number("av_scan_pattern", otherwise: 1) != 0
        database = wanted ? scanner.database : nil
        self.scan = scan
        scratches = scanner.scratches
        scratch = scratches.take()
        rules = wanted ? RuleMatcher(scanner.ruleTables, scan) : nil
        reportsUnwanted = scan.number("av_scan_app_unwanted", otherwise: 0) != 0
        reportsUnsafe = scan.number("av_scan_app_unsafe", otherwise: 0) != 0
        reportsAll = scan.number("all_matches", otherwise: 0) != 0
        judgesLinks = (database?.judgesLinks ?? false) && scan.number("av_scan_phishing_urls", otherwise: 1) != 0
        normalizes = (database?.matchesContent ?? false) || judgesLinks
    }

    deinit { if !scratch.isLarge { scratches.give(scratch) } }

    /// Reports what matches the object, or a normalised form of it.
    ///
    /// - Parameters:
    ///   - parents: what it lies in, the nearest one first, with the number of its type.
    ///   - again: it is the object that was matched last, as another type.
    /// - Throws: `.cancelled` when the scan must end.
    func match(
        _ object: em_object, in parents: [(object: em_object, type: UInt32)], again: Bool
    ) throws(ModuleError) {
        guard let database else { return }
        if !again { reported.removeAll(keepingCapacity: true) }
        isDecided = false
        otherTypes.removeAll(keepingCapacity: true)
        facts = ObjectFacts()
        for parent in parents { facts.containers.append(parent.type) }
        isInMail = false
        for parent in parents where parent.object.type == EM_TYPE_MAIL { isInMail = true }
        if let parent = parents.first, database.matchesEntries, !again {
            matchEntry(object, in: parent.object, type: parent.type)
        }
        if object.type == EM_TYPE_GRAPHICS, database.asksForImages { facts.imageHash = try lookOfImage(object) }
        let forms = normalizes || object.type == EM_TYPE_HTML ? self.forms(of: object) : []
        let subject: MatchSubject = forms.contains(.insteadOfObject) ? .bare : .object
        let type = forms.isEmpty ? object.type : EM_TYPE_UNKNOWN
        let isAllowed = try match(ByteView(object.data), as: type, of: object, subject)
        guard normalizes, !isDecided, !isAllowed else { return }
        if forms.contains(.markup) { try matchHTML(object) }
        if forms.contains(.text), wantsMore { try matchText(object) }
    }

    /// The type of an object that no container claims, by the file types of the database; nil: as it is.
    func fileType(of object: em_object, otherwise type: UInt32) -> UInt32? {
        database?.fileType(of: ByteView(object.data), previous: type)
    }

    /// The scan that the objects belong to.
    var context: ScanContext { scan }
    /// The signatures that they are matched against.
    var signatures: Database? { database }

    /// Whether a match of the object's forms is worth looking for: not when one was found already.
    var wantsMore: Bool { !isDecided }

    /// Matches an object, or a form of it.
    ///
    /// - Returns: whether the object is on the list of those that are never malware.
    @discardableResult
    func match(
        _ form: ByteView, as type: UInt32, of object: em_object, _ subject: MatchSubject
    ) throws(ModuleError) -> Bool {
        guard let database else { return false }
        var failure: ModuleError?
        let outcome = database.match(
            form, type: type, all: reportsAll, facts: facts, scratch: scratch, as: subject,
            check: {
                do throws(ModuleError) {
                    try scan.check()
                    return true
                } catch {
                    failure = error
                    return false
                }
            },
            yara: { rule, _, hits in rules?.isTrue(rule, in: form, of: object, hits) ?? false },
            retype: { if !otherTypes.contains($0) { otherTypes.append($0) } },
            report: { tell($0.signature, offset: $0.offset, of: object) })
        if let reason = rules?.end() { notScanned(object, reason) }
        switch outcome {
        case .complete: return false
        case .allowed: return true
        case .cancelled: throw failure ?? .cancelled
        case .limit: notScanned(object, "limit: work of the pattern matcher")
        case .failed: notScanned(object, "the signature database is damaged")
        }
        return false
    }

    /// Reports a signature, once for each object.
    func tell(_ number: Int, offset: Int, of object: em_object) {
        for earlier in reported where earlier == number { return }
        reported.append(number)
        let signature = database?.signature(number)
        let kind = kind(of: signature)
        if kind == EM_FINDING_INFECTED && !reportsAll { isDecided = true }
        guard kind != EM_FINDING_UNWANTED || reportsUnwanted, kind != EM_FINDING_UNSAFE || reportsUnsafe else { return }
        scan.report(
            kind, object: object.id, name: signature?.name ?? ByteView("unnamed signature"),
            source: signature?.source ?? ByteView(), offset: UInt64(max(0, offset)))
    }

    private func kind(of signature: Signature?) -> UInt32 {
        guard let signature else { return EM_FINDING_INFECTED }
        if signature.flags & EM_SIGNATURE_UNSAFE != 0 { return EM_FINDING_UNSAFE }
        return signature.flags & EM_SIGNATURE_UNWANTED != 0 ? EM_FINDING_UNWANTED : EM_FINDING_INFECTED
    }

    /// Tells that a part of the object was not matched.
    func notScanned(_ object: em_object, _ reason: StaticString) {
        scan.report(EM_FINDING_NOTSCANNED, object: object.id, name: ByteView(reason))
    }
}
