import Bytes
import CModuleABI
import Platform
package import ScanProtocol

/// How a call of `Scan.run` ended.
package enum ScanStep: Sendable, Equatable {
    case done(ScanVerdict)
    /// Answers are missing: give them with `provide`, then run again.
    case suspended([Question])
}

/// One scan of one root object with the modules of one generation.
///
/// Used by one thread at a time; the thread may change between calls. It holds the generation, so that the modules
/// stay loaded, and everything that the modules may ask the host for: arena, budget, object records, findings.
package final class Scan: @unchecked Sendable {
    package let generation: Generation
    let options: OptionTable
    let object: ObjectBytes
    let arena: Arena
    var budget: Budget
    var names = NameStore()
    /// Index + 1 is the object's id.
    var records: [ObjectRecord] = []
    /// Submitted, not yet taken; the first `taken` ones are.
    var submitted: [em_object] = []
    var taken = 0
    var findings = FindingList()
    var answers: [Question: Answer] = [:]
    /// The texts of answers that a module has asked for, in `names`.
    var answerTexts: [Question: ByteView] = [:]
    var asked: [Question] = []
    var temporaries: [TemporaryFile] = []

    private var session: OpaquePointer?
    private let root: UnsafeMutablePointer<em_object>
    private var spent: UInt64 = 0
    private var isDone = false

    /// - Parameters:
    ///   - generation: the modules.
    ///   - object: what is scanned.
    ///   - name: its name, for object paths; empty if it has none.
    ///   - options: made of the request's options and envelope.
    package init(
        generation: Generation, object: ObjectBytes, name: String = "", options: OptionTable
    ) throws(LoadError) {
        self.generation = generation
        self.object = object
        self.options = options
        budget = Budget(options.limits, rootSize: UInt64(object.view.count))
        // The object may have been copied into memory; half of what a scan may use is for what comes out of it.
        let memory = options.limits.memory
        do throws(SystemError) {
            arena = try ArenaPool.shared.take(
                limit: Int(clamping: memory - min(UInt64(object.view.count), memory / 2)))
        } catch {
            throw LoadError("scan", "memory", error.description)
        }
        root = .allocate(capacity: 1)
        root.initialize(to: em_object())
        root.pointee.struct_size = UInt32(MemoryLayout<em_object>.size)
        root.pointee.id = 1
        root.pointee.data = em_slice(ptr: object.view.buffer.baseAddress, len: UInt64(object.view.count))
        root.pointee.offset = EM_OFFSET_UNKNOWN
        root.pointee.extent = UInt64(object.view.count)
        let storedName = Array(name.utf8).withUnsafeBufferPointer {
            names.copy(em_slice(ptr: $0.baseAddress, len: UInt64($0.count)))
        }
        root.pointee.name = em_slice(ptr: storedName.buffer.baseAddress, len: UInt64(storedName.count))
        records.append(
            ObjectRecord(
                parent: 0, offset: 0, extent: UInt64(object.view.count), size: UInt64(object.view.count), depth: 0,
                type: 0, flags: 0, name: storedName, format: ByteView()))
    }

    deinit {
        close()
        root.deallocate()
        ArenaPool.shared.give(arena)
    }

    /// Asked at each look at the budget, by the thread that runs the scan: true ends the scan.
    package func cancel(when stop: @escaping @Sendable () -> Bool) { budget.stop = stop }

    /// Goes on with the scan. A failure of the modules is a verdict of "not scanned", not an error.
    package func run() -> ScanStep {
        let began = Clock.now
        budget.begin(at: began, spent: spent)
        let status = advance()
        spent &+= Clock.now &- began
        if status == EM_SUSPENDED {
            let open = asked.filter { answers[$0] == nil }
            if !open.isEmpty { return .suspended(open) }
            findings.add(Finding(kind: .notScanned, name: "a module suspended the scan without a question"))
        } else if status < 0 {
            findings.add(Finding(kind: .notScanned, name: failure(status)))
        }
        close()
        return .done(verdict())
    }

    /// Gives answers to questions; then `run` again.
    package func provide(_ answers: [Answer]) {
        for answer in answers { self.answers[answer.question] = answer }
    }

    private func advance() -> em_status {
        let table = generation.scanTable
        if session == nil {
            guard !isDone else { return EM_E_STATE }
            let status = table.pointee.open(generation.scanInstance, handle, root, &session)
            guard status == EM_OK, session != nil else { return status == EM_OK ? EM_E_INTERNAL : status }
        }
        return table.pointee.run(session)
    }

    private func close() {
        isDone = true
        if let session {
            self.session = nil
            generation.scanTable.pointee.close(session)
        }
        temporaries = []
    }

    private func failure(_ status: em_status) -> String {
        switch status {
        case EM_E_CANCELLED: budget.isOutOfTime ? "limit: time" : "cancelled"
        case EM_E_MEMORY: "limit: memory"
        default: "error \(status) in the scanner module"
        }
    }

    /// What modules see as `em_scan`.
    var handle: OpaquePointer { OpaquePointer(Unmanaged.passUnretained(self).toOpaque()) }

    private func verdict() -> ScanVerdict {
        var verdict = ScanVerdict()
        for (index, record) in records.enumerated() { findings.addOutcome(of: record, id: UInt64(index + 1)) }
        verdict.findings = findings.list
        verdict.objects = ObjectPaths(records).infos(for: verdict.findings)
        verdict.objectCount = UInt32(clamping: records.count)
        verdict.spamScore =
            ("antispam".withCString { options.number($0, otherwise: 0) }) != 0 ? findings.spamScore : nil
        verdict.databaseVersion = generation.databaseVersion
        verdict.generation = generation.number
        verdict.duration = spent
        return verdict
    }
}
