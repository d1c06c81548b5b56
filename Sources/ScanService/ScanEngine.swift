package import Platform
package import ScanProtocol

/// What loads generations of modules and scans with them. The scanning process knows no more about modules,
/// so that it can be tested without any.
package protocol ScanEngine: Sendable {
    /// Loads a generation beside those that are in use. Always called by the same thread.
    func load(generation: UInt64) throws(EngineError) -> any EngineGeneration
    /// Loads one that is in use elsewhere, only to compare another with it: it needs no tests.
    func loadForComparison(generation: UInt64) throws(EngineError) -> any EngineGeneration
}

extension ScanEngine {
    package func loadForComparison(generation: UInt64) throws(EngineError) -> any EngineGeneration {
        try load(generation: generation)
    }
}

/// One loaded generation; unloaded when the last reference goes.
package protocol EngineGeneration: AnyObject, Sendable {
    var number: UInt64 { get }
    /// For the manager's status.
    var summary: LoadedGeneration { get }
    /// Begins a scan; nothing is looked at before its first `run`. Called by any scanning thread.
    func begin(_ source: ObjectSource, _ order: ScanOrder, _ cancellation: Cancellation) throws(EngineError)
        -> any EngineScan
}

/// One scan of one object. One thread at a time, which may change between calls.
package protocol EngineScan: AnyObject, Sendable {
    /// Goes on until it is done or needs answers.
    func run() -> EngineStep
    /// Gives answers; then `run` is called again.
    func provide(_ answers: [Answer])
}

/// How a call of `run` ended.
package enum EngineStep: Sendable, Equatable {
    case done(ScanVerdict)
    case suspended([Question])
}

/// Why there is no scan.
package struct EngineError: Error, Sendable {
    package let failure: ScanFailure

    package init(_ reason: ScanFailure.Reason, _ text: String) {
        failure = ScanFailure(reason, text)
    }
}

/// The object as it came from the client.
package struct ObjectSource: Sendable {
    /// Where the bytes are.
    package enum Place: Sendable {
        /// Nobody else can truncate it: it may be mapped.
        case mappable(Descriptor)
        /// It must be read with pread.
        case file(Descriptor)
        /// They came with the request, and belong to this process.
        case memory(ArraySlice<UInt8>)
    }
    package let place: Place
    /// Bytes that belong to the object.
    package let size: Int
}
