package import Bytes
import Glibc
package import Platform

/// Why a message could not be spooled.
package enum SpoolError: Error, Sendable, Equatable {
    /// No room on the spool's file system, or no memory: the client may try again later.
    case full
    /// Another failure of the system, e.g. "open /var/…: Permission denied".
    case system(String)

    init(_ error: SystemError) {
        switch error.code {
        case ENOSPC, EDQUOT, EFBIG, ENOMEM: self = .full
        default: self = .system(error.description)
        }
    }
}

/// Collects one message: in memory up to a limit, above it in an unnamed file of the spool directory. Nothing is
/// left behind when the process dies.
package final class Spool {
    private let directory: String
    private let memoryLimit: Int
    private var memory: [UInt8] = []
    private var file: Descriptor?
    /// Bytes so far.
    package private(set) var size: UInt64 = 0

    /// - Parameters:
    ///   - directory: for messages larger than `memoryLimit`; must exist by then.
    ///   - memoryLimit: bytes.
    package init(directory: String, memoryLimit: Int = 1 << 20) {
        self.directory = directory
        self.memoryLimit = memoryLimit
    }

    /// Adds content.
    package func append(_ bytes: [UInt8]) throws(SpoolError) {
        size += UInt64(bytes.count)
        do throws(SystemError) {
            if let file { return try file.writeAll(bytes) }
            if size <= UInt64(memoryLimit) {
                memory += bytes
                return
            }
            let file = try Descriptor.temporary(in: directory)
            try file.writeAll(memory)
            try file.writeAll(bytes)
            self.file = file
            memory = []
        } catch {
            throw SpoolError(error)
        }
    }

    /// The complete message. The spool is empty afterwards.
    package func finish() throws(SpoolError) -> SpooledMessage {
        defer {
            memory = []
            file = nil
        }
        do throws(SystemError) {
            if let file { return try SpooledMessage(file: file, size: Int(size), isSealed: false) }
            let sealed = try Descriptor.memory(name: "message")
            try sealed.writeAll(memory)
            try sealed.seal()
            return try SpooledMessage(file: sealed, size: memory.count, isSealed: true)
        } catch {
            throw SpoolError(error)
        }
    }
}

/// A complete message that nobody changes any more.
package final class SpooledMessage: Sendable {
    /// A sealed memfd, or an unnamed file that only this process has: what the scanner gets.
    package let descriptor: Descriptor
    /// Bytes.
    package let size: Int
    package let isSealed: Bool
    private let mapping: Mapping

    init(file: Descriptor, size: Int, isSealed: Bool) throws(SystemError) {
        descriptor = file
        self.size = size
        self.isSealed = isSealed
        // Safe for both kinds: a sealed memfd cannot shrink, and nobody else can open an unnamed file.
        mapping = try Mapping(file, size: size)
    }

    /// The content; valid as long as this object lives.
    package var view: ByteView { ByteView(mapping.bytes) }
}
