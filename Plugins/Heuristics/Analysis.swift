import BytesE
import CModuleABI
import CompoundFiles
import ModuleKit

/// The heuristics' view of one scan: the chain of objects that are open now, and what was seen in each.
final class Analysis {
    /// An object that was entered and not yet left.
    private struct Frame {
        let id: UInt64
        let type: UInt32
        let isInMail: Bool
        var isOffice = false
        var children = 0
        var programs = 0
        var scripts = 0
        /// The only child so far is a script that looks like a document.
        var hidesScript = false
        var encrypted = 0
    }

    private static let deepest = 256
    private let scan: ScanContext
    private var frames: [Frame] = []

    init(_ scan: ScanContext) {
        self.scan = scan
    }

    /// Takes an object in its two phases.
    func see(_ object: em_object, parent: em_object?, phase: UInt32) throws(ModuleError) {
        try scan.check()
        if phase == EM_PHASE_ENTER {
            enter(object, parent)
        } else if phase == EM_PHASE_LEAVE {
            leave(object)
        }
    }

    private func enter(_ object: em_object, _ parent: em_object?) {
        // A frame whose object was never left belongs to a branch that the scan gave up.
        while let last = frames.last, last.id != object.parent { frames.removeLast() }
        let isAttachment = parent?.type == EM_TYPE_MAIL
        let isInMail = isAttachment || frames.last?.isInMail ?? false
        let data = ByteView(object.data)
        let facts = ObjectFacts(
            name: ByteView(object.name), content: ExecutableContent(data), type: object.type,
            declared: ByteView(object.declared), isEncrypted: object.flags & EM_OBJECT_ENCRYPTED != 0 && data.isEmpty,
            isAttachment: isAttachment, isInMail: isInMail)
        if object.type != EM_TYPE_MAIL {
            for suspicion in facts.suspicions { report(suspicion, object.id) }
            if !frames.isEmpty { count(facts, object) }
        }
        if object.type == EM_TYPE_OLE2 || CompoundFile.isOne(data) { macros(data, object) }
        if frames.count < Analysis.deepest {
            frames.append(
                Frame(id: object.id, type: object.type, isInMail: isInMail || object.type == EM_TYPE_MAIL))
        }
    }

    /// Notes in the parent's frame what its child is.
    private func count(_ facts: ObjectFacts, _ object: em_object) {
        let parent = frames.count - 1
        frames[parent].children += 1
        if facts.isEncrypted { frames[parent].encrypted += 1 }
        switch facts.content {
        case .windowsProgram, .elf, .machO, .shortcut: frames[parent].programs += 1
        case .none, .shellScript, .htmlApplication:
            if facts.name.isScript { frames[parent].scripts += 1 }
        }
        frames[parent].hidesScript = facts.name.isScript && facts.name.hasOfficeDocumentBefore
        if ByteView(object.name).equals(ByteView("[Content_Types].xml")) { frames[parent].isOffice = true }
    }

    private func leave(_ object: em_object) {
        guard let position = frames.lastIndex(where: { $0.id == object.id }) else { return }
        let frame = frames[position]
        frames.removeSubrange(position...)
        let isArchive =
            object.type == EM_TYPE_ZIP || object.type == EM_TYPE_ARCHIVE || object.type == EM_TYPE_GZIP
            || object.type == EM_TYPE_TAR
        guard frame.isInMail, isArchive, !frame.isOffice else { return }
        if frame.encrypted > 0 || object.flags & EM_OBJECT_ENCRYPTED != 0 {
            report(Suspicion(kind: .encryptedArchive, score: 20), object.id)
        }
        guard frame.children == 1 else { return }
        if frame.programs == 1 {
            report(Suspicion(kind: .singleProgramArchive, score: 50), object.id)
        } else if frame.scripts == 1 {
            report(Suspicion(kind: .singleScriptArchive, score: frame.hidesScript ? 100 : 70), object.id)
        }
    }

    private func macros(_ data: ByteView, _ object: em_object) {
        guard let file = CompoundFile(data) else { return }
        let facts = MacroFacts(file)
        guard facts.hasProject else { return }
        scan.mark(object.id, flags: EM_OBJECT_MACROS)
        // vbaProject.bin stands for the document around it.
        if let parent = frames.last, parent.type == EM_TYPE_ZIP { scan.mark(parent.id, flags: EM_OBJECT_MACROS) }
        if facts.runsByItself, facts.startsPrograms {
            report(Suspicion(kind: .dangerousMacro, score: 80), object.id)
        } else if facts.runsByItself {
            report(Suspicion(kind: .autoMacro, score: 35), object.id)
        } else {
            report(Suspicion(kind: .macros, score: 20), object.id)
        }
    }

    private func report(_ suspicion: Suspicion, _ object: UInt64) {
        scan.report(
            suspicion.isNote ? EM_FINDING_NOTE : EM_FINDING_HEURISTIC, object: object, name: ByteView(suspicion.name),
            source: ByteView("em004"), score: suspicion.score)
    }
}
