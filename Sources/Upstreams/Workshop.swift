import Bytes
import CVD
import Glibc
import Platform

/// The members of a container while scripts of changes are applied to them: in unnamed files, so that they take space on a
/// disk and none in memory.
struct Workshop: CVDMemberSink {
    /// Where a member is now.
    private struct Member {
        let file: Mapping
        let offset: Int
        let count: Int
        var view: ByteView { ByteView(file.bytes).slice(offset, offset + count) }
    }

    private let directory: String
    private var members: [String: Member] = [:]
    /// The file that members of the container are read to.
    private var first: Spool?
    private var incoming: [(name: String, offset: Int, size: Int)] = []
    private var size = 0
    /// Members of a container, and what scripts may make of them, at most.
    private static let limit = 8 << 30

    init(in directory: String) {
        self.directory = directory
    }

    // MARK: Reading a container

    mutating func begin(_ name: String, size: Int) throws(CVDError) {
        incoming.append((name, self.size, size))
    }

    mutating func append(_ bytes: ByteView) throws(CVDError) {
        let spool: Spool
        if let first { spool = first } else { spool = try Spool(directory) }
        first = spool
        try spool.append(bytes)
        size += bytes.count
    }

    mutating func end() throws(CVDError) {}

    private mutating func settle() throws(CVDError) {
        guard !incoming.isEmpty else { return }
        let spool: Spool
        if let first { spool = first } else { spool = try Spool(directory) }
        let file = try spool.map()
        for (name, offset, size) in incoming { members[name] = Member(file: file, offset: offset, count: size) }
        incoming = []
        first = nil
    }

    // MARK: Changes

    mutating func apply(_ script: [UInt8]) throws(CVDError) {
        try settle()
        // The steps point into the script.
        let text = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(1, script.count))
        defer { text.deallocate() }
        _ = text.initialize(from: script)
        let steps = try ChangeScript(ByteView(UnsafeBufferPointer(text)).prefix(script.count)).steps
        for step in steps {
            switch step {
            case .edit(let edit):
                let old = members[edit.name]
                guard old != nil || !edit.needsFile else {
                    throw CVDError(.malformed, "there is no member \(edit.name) to change")
                }
                try replace(edit.name) { spool throws(CVDError) in
                    try edit.apply(to: old?.view ?? ByteView()) { piece throws(CVDError) in try spool.append(piece) }
                }
            case .move(let move):
                guard let from = members[move.from], let to = members[move.to] else {
                    throw CVDError(.malformed, "there is no member \(move.from) or \(move.to)")
                }
                let range = try move.range(in: from.view)
                guard to.count == 0 || to.view[to.count - 1] == 0x0a else {
                    throw CVDError(.malformed, "\(move.to) does not end with a whole line")
                }
                try replace(move.to) { spool throws(CVDError) in
                    try spool.append(to.view)
                    try spool.append(from.view.slice(range.lowerBound, range.upperBound))
                }
                try replace(move.from) { spool throws(CVDError) in
                    try spool.append(from.view.prefix(range.lowerBound))
                    try spool.append(from.view.dropFirst(range.upperBound))
                }
            case .remove(let name):
                guard members.removeValue(forKey: name) != nil else {
                    throw CVDError(.malformed, "there is no member \(name) to remove")
                }
            }
        }
    }

    private mutating func replace(
        _ name: String, _ body: (Spool) throws(CVDError) -> Void
    ) throws(CVDError) {
        let spool = try Spool(directory)
        try body(spool)
        let file = try spool.map()
        members[name] = Member(file: file, offset: 0, count: file.bytes.count)
        guard members.values.reduce(0, { $0 + $1.count }) <= Self.limit else {
            throw CVDError(.limit, "the members are larger than \(Self.limit) bytes")
        }
    }

    // MARK: The result

    /// Writes a container, flushed to the disk.
    mutating func write(to path: String, database: String) throws(CVDError) {
        try settle()
        do throws(SystemError) {
            unlink(path)
            let file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o644)
            var failure: SystemError?
            var problem: CVDError?
            do throws(CVDError) {
                try ContainerWriter.write(members.map { ($0.key, $0.value.view) }, name: database) {
                    piece throws(CVDError) in
                    do throws(SystemError) { try file.writeAll(UnsafeRawBufferPointer(piece.buffer)) } catch {
                        failure = error
                        throw CVDError(.sink, error.description)
                    }
                }
            } catch {
                problem = error
            }
            if let failure { throw failure }
            if let problem { throw SystemError(problem.description, code: EBADMSG) }
            try file.synchronize()
        } catch {
            unlink(path)
            throw CVDError(
                error.code == EBADMSG ? .malformed : .sink, error.code == EBADMSG ? error.call : error.description)
        }
    }
}

/// An unnamed file that grows, and is then mapped.
private final class Spool {
    private let file: Descriptor
    private var size = 0
    private var buffer: [UInt8] = []

    init(_ directory: String) throws(CVDError) {
        do throws(SystemError) { file = try Descriptor.temporary(in: directory) } catch {
            throw CVDError(.sink, error.description)
        }
    }

    func append(_ bytes: ByteView) throws(CVDError) {
        size += bytes.count
        // Lines come one by one.
        if bytes.count < 1 << 16 {
            buffer.append(contentsOf: bytes.buffer)
            if buffer.count >= 1 << 18 { try flush() }
        } else {
            try flush()
            do throws(SystemError) { try file.writeAll(UnsafeRawBufferPointer(bytes.buffer)) } catch {
                throw CVDError(.sink, error.description)
            }
        }
    }

    private func flush() throws(CVDError) {
        guard !buffer.isEmpty else { return }
        do throws(SystemError) { try file.writeAll(buffer) } catch { throw CVDError(.sink, error.description) }
        buffer.removeAll(keepingCapacity: true)
    }

    func map() throws(CVDError) -> Mapping {
        try flush()
        do throws(SystemError) { return try Mapping(file, size: size) } catch {
            throw CVDError(.sink, error.description)
        }
    }
}
