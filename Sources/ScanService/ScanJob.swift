import Platform
import ScanProtocol
import Synchronization

/// One request on its way through the scanning process.
///
/// It belongs to the thread that took it from the queue until its turn is complete, and at other times to whoever holds
/// the server's lock. Only `cancellation` and `startedAt` are touched from elsewhere.
final class ScanJob: @unchecked Sendable {
    /// `queued` until its turn is complete.
    enum Place { case queued, suspended }
    enum Outcome {
        case verdict(ScanVerdict)
        case suspended([Question])
        case failed(ScanFailure)
        case cancelled
    }

    let client: Int
    let request: UInt32
    let order: ScanOrder
    let isTrusted: Bool
    /// Whose it is; nil = one of our own agents.
    let user: UInt32?
    let cancellation = Cancellation()
    /// When a scanning thread began this turn, in nanoseconds; 0 while none works on it.
    let startedAt = Atomic<UInt64>(0)
    /// Guarded by the server's lock.
    var place = Place.queued
    var suspendedAt: UInt64 = 0
    /// Nil when the job is over, so that only the loading thread unloads.
    private var generation: (any EngineGeneration)?
    private let held: HeldGeneration
    private var object: Object?
    private var scan: (any EngineScan)?
    private(set) var questions: [Question] = []
    private var answers: [Answer]?
    private(set) var outcome = Outcome.cancelled

    /// What is scanned, until the scan has begun.
    enum Object {
        case descriptor(Descriptor)
        case content(ArraySlice<UInt8>)
    }

    /// - Returns: nil when the generation is unloaded already.
    init?(
        client: ServedClient, request: UInt32, order: ScanOrder, object: Object, generation: HeldGeneration
    ) {
        guard let loaded = generation.generation else { return nil }
        self.client = client.number
        self.request = request
        self.order = order
        self.object = object
        isTrusted = client.isTrusted
        user = client.user
        self.generation = loaded
        held = generation
        held.enter()
    }

    /// Gives up everything that it holds, once; the server's lock is held.
    /// - Returns: what can be unloaded now.
    func letGo() -> Unloadable? {
        scan = nil
        object = nil
        generation = nil
        return held.leave()
    }

    /// Takes the answers to the questions that were asked; what was not answered counts as failed, what was
    /// not asked is dropped.
    func answer(_ given: [Answer]) {
        var known: [Question: Answer] = [:]
        for answer in given { known[answer.question] = answer }
        answers = questions.map { known[$0] ?? Answer(question: $0, result: .failed) }
        questions = []
    }

    /// One turn on a scanning thread.
    func work() {
        guard !cancellation.isCancelled else {
            finish(.cancelled)
            return
        }
        do throws(EngineError) {
            // From here on: reading the object of a slow or broken file system can hang, too.
            startedAt.store(Clock.now, ordering: .relaxed)
            defer { startedAt.store(0, ordering: .relaxed) }
            let scan: any EngineScan
            if let begun = self.scan { scan = begun } else { scan = try begin() }
            if let answers {
                scan.provide(answers)
                self.answers = nil
            }
            let step = scan.run()
            switch step {
            case .done(let verdict): finish(cancellation.isCancelled ? .cancelled : .verdict(verdict))
            case .suspended(let questions):
                self.questions = Array(questions.prefix(WireLimits.questions))
                outcome = .suspended(self.questions)
            }
        } catch {
            finish(.failed(error.failure))
        }
    }

    private func begin() throws(EngineError) -> any EngineScan {
        let source: ObjectSource
        switch object {
        case .descriptor(let descriptor):
            source = try ObjectSource(
                descriptor, announced: order.size, isTrusted: isTrusted && !order.options.isForeign)
        case .content(let bytes): source = ObjectSource(place: .memory(bytes), size: bytes.count)
        case nil: throw EngineError(.engine, "the scan was resumed after its end")
        }
        guard let generation else { throw EngineError(.engine, "the scan was resumed after its end") }
        let scan = try generation.begin(source, order, cancellation)
        // Mapped or copied: a suspended scan holds no descriptor.
        object = nil
        self.scan = scan
        return scan
    }

    private func finish(_ outcome: Outcome) {
        self.outcome = outcome
        scan = nil
        object = nil
    }
}
