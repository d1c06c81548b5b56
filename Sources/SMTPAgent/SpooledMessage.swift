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
            if let file { return try SpooledMessage(file: file, size: Int(size)) }
            return SpooledMessage(memory)
        } catch {
            throw SpoolError(error)
        }
    }
}

/// A complete message that nobody changes any more.
///
/// `@unchecked Sendable`: everything is set once, in `init`.
package final class SpooledMessage: @unchecked Sendable {
    /// Bytes.
    package var size: Int { view.count }
    /// Whether it is held in memory, so that others get it as a sealed memfd.
    package let isSealed: Bool
    /// The content; valid as long as this object lives.
    package let view: ByteView
    private let memory: UnsafeMutableRawBufferPointer?
    private let mapping: Mapping?
    private let file: Descriptor?

    init(_ bytes: [UInt8]) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.count), alignment: 16)
        copy.copyBytes(from: bytes)
        memory = copy
        view = ByteView(UnsafeRawBufferPointer(rebasing: copy[..<bytes.count]))
        mapping = nil
        isSealed = true
        file = nil
    }

    init(file: Descriptor, size: Int) throws(SystemError) {
        // Safe, because nobody else can open an unnamed file.
        let mapping = try Mapping(file, size: size)
        self.mapping = mapping
        view = ByteView(mapping.bytes)
        memory = nil
        isSealed = false
        self.file = file
    }

    deinit {
        memory?.deallocate()
    }

    /// A new sealed memfd with the content, or the unnamed file, which only this process has: what the scanner gets.
    package func descriptor() throws(SpoolError) -> Descriptor {
        if let file { return file }
        do throws(SystemError) {
            let sealed = try Descriptor.memory(name: "message")
            try sealed.writeAll(UnsafeRawBufferPointer(view.buffer))
            try sealed.seal()
            return sealed
        } catch {
            throw SpoolError(error)
        }
    }
}
