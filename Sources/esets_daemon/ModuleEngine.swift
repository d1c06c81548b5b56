import Generations
import Glibc
import ModuleHost
import Platform
import ScanProtocol
import ScanService

/// The engine of real scanning processes: generations of modules.
final class ModuleEngine: ScanEngine {
    private let store: GenerationStore
    private let certificates: String
    /// The keys as they were when the process still was root.
    private let trust: Trust?
    /// A canary verifies every byte, runs the self-tests and scans what it knows the answers to.
    private let isCanary: Bool
    private let log: @Sendable (WorkerReport.LogLevel, String) -> Void

    init(
        store: GenerationStore, certificates: String, isCanary: Bool,
        log: @escaping @Sendable (WorkerReport.LogLevel, String) -> Void
    ) {
        self.store = store
        self.certificates = certificates
        self.isCanary = isCanary
        self.log = log
        trust = try? Trust(directory: certificates)
    }

    func load(generation: UInt64) throws(EngineError) -> any EngineGeneration {
        let log = log
        do throws(LoadError) {
            let loaded = try Generation.load(
                directory: store.path(generation), trust: try currentTrust(), thorough: isCanary
            ) { level, text in
                log(WorkerReport.LogLevel(rawValue: UInt8(clamping: level)) ?? .debug, text)
            }
            let result = ModuleGeneration(loaded)
            if isCanary {
                try loaded.selfTest()
                try KnownAnswers(generation: loaded).check()
            }
            return result
        } catch {
            throw EngineError(.engine, error.description)
        }
    }

    func loadForComparison(generation: UInt64) throws(EngineError) -> any EngineGeneration {
        do throws(LoadError) {
            return ModuleGeneration(
                try Generation.load(
                    directory: store.path(generation), trust: try currentTrust(), thorough: false, log: { _, _ in }))
        } catch {
            throw EngineError(.engine, error.description)
        }
    }

    /// The keys as they are now, when they can still be read.
    private func currentTrust() throws(LoadError) -> Trust {
        do throws(GenerationError) {
            return try Trust(directory: certificates)
        } catch {
            guard let trust else { throw LoadError("keys", "trust", "\(error)") }
            return trust
        }
    }
}

/// A loaded generation, as the scanning process sees it.
final class ModuleGeneration: EngineGeneration {
    private let generation: Generation

    init(_ generation: Generation) {
        self.generation = generation
    }

    var number: UInt64 { generation.number }

    var summary: LoadedGeneration {
        LoadedGeneration(
            number: generation.number, database: generation.databaseVersion, signatures: generation.signatureCount,
            modules: generation.modules.map { "\($0.id) \($0.version)" })
    }

    func begin(
        _ source: ObjectSource, _ order: ScanOrder, _ cancellation: Cancellation
    ) throws(EngineError) -> any EngineScan {
        let object: ObjectBytes
        do throws(SystemError) {
            switch source.place {
            case .mappable(let file): object = try ObjectBytes(mapping: file, size: source.size)
            case .file(let file): object = try ObjectBytes(reading: file, size: source.size)
            case .memory(let bytes): object = ObjectBytes(bytes)
            }
        } catch {
            throw EngineError(.unreadable, error.description)
        }
        do throws(LoadError) {
            let scan = try Scan(
                generation: generation, object: object, name: order.name,
                options: OptionTable(order.options, order.envelope))
            scan.cancel { cancellation.isCancelled }
            return ModuleScan(scan)
        } catch {
            // There is no memory for another scan now.
            throw EngineError(.busy, error.description)
        }
    }
}

/// One scan, as the scanning process sees it.
final class ModuleScan: EngineScan {
    private let scan: Scan

    init(_ scan: Scan) {
        self.scan = scan
    }

    func run() -> EngineStep {
        switch scan.run() {
        case .done(let verdict): .done(verdict)
        case .suspended(let questions): .suspended(questions)
        }
    }

    func provide(_ answers: [Answer]) { scan.provide(answers) }
}
