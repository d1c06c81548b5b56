/// Why a module or a generation is refused.
package struct LoadError: Error, Sendable, CustomStringConvertible, Equatable {
    /// The file, e.g. "em002_64.dat", or what else it is about.
    package let module: String
    /// The check that failed: "signature", "segments", "abi" …
    package let check: String
    package let reason: String

    package init(_ module: String, _ check: String, _ reason: String) {
        self.module = module
        self.check = check
        self.reason = reason
    }

    /// "em002_64.dat: segments: a data module with a writable segment"
    package var description: String { "\(module): \(check): \(reason)" }
}
