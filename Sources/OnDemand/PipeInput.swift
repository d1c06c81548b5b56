import Glibc
package import Platform
package import ScanClient

/// The standard streams of a filter program.
package enum PipeInput {
    /// Everything on standard input, as an object that nobody can change any more.
    /// - Parameter directory: where a large message is kept, in a file without a name.
    /// - Returns: the message.
    /// - Throws: when standard input cannot be read, or there is no room to keep it.
    package static func read(directory: String) throws(PipeRun.Failure) -> ScanObject {
        do throws(SystemError) {
            let input = Descriptor(owning: try checked("dup", "standard input") { fcntl(0, F_DUPFD_CLOEXEC, 3) })
            var writer = ScanObjectWriter(directory: directory)
            while true {
                let piece = try input.readToEnd(limit: 65_536)
                if piece.isEmpty { break }
                try writer.append(piece)
            }
            return try writer.finish(name: "standard input")
        } catch {
            throw PipeRun.Failure(description: "the message could not be read: \(error)")
        }
    }

    /// Standard output.
    package static func standardOutput() throws(PipeRun.Failure) -> Descriptor {
        do throws(SystemError) {
            return Descriptor(owning: try checked("dup", "standard output") { fcntl(1, F_DUPFD_CLOEXEC, 3) })
        } catch {
            throw PipeRun.Failure(description: error.description)
        }
    }
}
