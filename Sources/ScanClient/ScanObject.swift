import Glibc
package import Platform

/// An object on its way to a scanning process: a descriptor and what is known about it.
package struct ScanObject: Sendable {
    /// A sealed memfd, an unnamed file, or somebody's file opened for reading.
    package let descriptor: Descriptor
    /// Bytes, from the beginning of the file, that belong to it.
    package let size: UInt64
    /// For findings and logs: a path, or a description of the message.
    package let name: String

    /// Up to this size an object travels as a sealed memfd, above it as an unnamed file.
    package static let memoryLimit = 1 << 20

    package init(descriptor: Descriptor, size: UInt64, name: String) {
        self.descriptor = descriptor
        self.size = size
        self.name = name
    }

    /// A file, as it is now.
    package init(path: String) throws(SystemError) {
        // O_NONBLOCK: opening a named pipe must not wait for a writer.
        let file = try Descriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
        let status = try file.status()
        guard status.st_mode & S_IFMT == S_IFREG else { throw SystemError("open", path, code: EINVAL) }
        self.init(descriptor: file, size: UInt64(max(0, status.st_size)), name: path)
    }

    /// Bytes in memory; larger ones go through an unnamed file in `directory`.
    package init(bytes: UnsafeRawBufferPointer, name: String, directory: String) throws(SystemError) {
        var writer = ScanObjectWriter(directory: directory)
        try writer.append(bytes)
        self = try writer.finish(name: name)
    }

    /// Bytes in memory; larger ones go through an unnamed file in `directory`.
    package init(bytes: [UInt8], name: String, directory: String) throws(SystemError) {
        var writer = ScanObjectWriter(directory: directory)
        try writer.append(bytes)
        self = try writer.finish(name: name)
    }
}

/// Collects an object piece by piece: in memory while it is small, in an unnamed file of the spool when
/// it grows, so that an agent never holds a large message in memory.
package struct ScanObjectWriter {
    private let directory: String
    private var pending: [UInt8] = []
    private var file: Descriptor?
    /// Bytes appended so far.
    package private(set) var size: UInt64 = 0

    /// - Parameter directory: where the unnamed file is made; must be on a file system with O_TMPFILE.
    package init(directory: String) {
        self.directory = directory
    }

    /// Appends bytes. After an error the object is unusable.
    package mutating func append(_ bytes: [UInt8]) throws(SystemError) {
        pending.append(contentsOf: bytes)
        size += UInt64(bytes.count)
        try spillIfLarge()
    }

    /// Appends bytes. After an error the object is unusable.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        if bytes.count > ScanObject.memoryLimit {
            try spill()
            try file?.writeAll(bytes)
            size += UInt64(bytes.count)
            return
        }
        pending.append(contentsOf: bytes)
        size += UInt64(bytes.count)
        try spillIfLarge()
    }

    private mutating func spillIfLarge() throws(SystemError) {
        let room = file == nil ? ScanObject.memoryLimit : 65_536
        if pending.count > room { try spill() }
    }

    private mutating func spill() throws(SystemError) {
        let target: Descriptor
        if let file {
            target = file
        } else {
            target = try Descriptor.temporary(in: directory)
            file = target
        }
        try target.writeAll(pending)
        pending.removeAll(keepingCapacity: true)
    }

    /// Ends it.
    package consuming func finish(name: String) throws(SystemError) -> ScanObject {
        var end = self
        if end.file != nil { try end.spill() }
        if let file = end.file { return ScanObject(descriptor: file, size: end.size, name: name) }
        let memory = try Descriptor.memory(name: "esets-object")
        try memory.writeAll(end.pending)
        try memory.seal()
        return ScanObject(descriptor: memory, size: end.size, name: name)
    }
}
