import Glibc
import Logging
import Platform

/// The folder for what is too long to be kept in memory.
package enum Spool {
    /// Makes it. Without it only long objects cannot be taken, so that is no reason not to start.
    /// - Parameter otherwise: what happens to them, for the log.
    package static func make(_ directory: String, _ log: AgentLog, otherwise: String) {
        do throws(SystemError) {
            try Files.makeDirectory(directory, mode: 0o700)
            _ = try checked("access", directory) { access(directory, W_OK | X_OK) }
        } catch {
            log.current.error("spool directory: \(error); \(otherwise)")
        }
    }
}
