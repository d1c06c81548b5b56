/// What one update may cost. Every file is also bounded by the length that the signed file before it names.
package struct TUFLimits: Sendable {
    /// Bytes of a root file.
    package var root = 512_000
    /// Bytes of the timestamp file, whose length nothing names.
    package var timestamp = 16_384
    package var snapshot = 2_000_000
    /// Bytes of a file of targets, top-level or delegated.
    package var targets = 8_000_000
    /// New root versions in one update.
    package var rotations = 256
    /// Roles that one search may visit.
    package var visits = 32
    /// Roles that are loaded altogether.
    package var roles = 4_096
    /// Bytes of all delegated roles together.
    package var delegated = 64_000_000
    /// Levels of arrays and objects.
    package var depth = 24
    /// JSON values in a file.
    package var values = 1_000_000

    package init() {}
}
