import Bytes
import CVD
import Glibc
import Platform
package import SignatureCompiler

/// The files that a signature database is compiled from: copied into this process's memory, containers unpacked.
///
/// What is in containers goes to an unnamed file, so that it takes space on a disk and none in memory. Reading (`add`)
/// and parsing (`unpack`) are apart, so that a process can give up its powers between them.
package final class SignatureSources {
    /// A container that is not used.
    package struct Refused: Sendable, Equatable {
        package let file: String
        package let reason: String
    }

    /// What is compiled; the bytes are valid as long as this object.
    package private(set) var files: [SignatureFile] = []
    /// Containers left out because another one of the same name is as new or newer.
    package private(set) var superseded: [String] = []
    private var owners: [Mapping] = []
    private var containers: [Source] = []
    private var archives: [(name: String, copy: Mapping, formats: Set<String>)] = []
    private var store: CertificateStore?
    private let temporary: String

    private struct Source {
        let name: String
        /// Path without the ending.
        let stem: String
        let kind: CVDContainer.Kind
        let copy: Mapping
    }

    /// - Parameter temporary: a directory for what is in containers.
    package init(temporary: String) {
        self.temporary = temporary
    }

    /// Trusts those whose certificates lie in a directory (`.crt`, `.pem`) to sign containers. It need not exist.
    package func trust(certificates directory: String) throws(UpdateError) {
        guard Files.exists(directory), let store = CertificateStore() else { return }
        let names: [String]
        do throws(SystemError) { names = try Files.names(in: directory) } catch {
            throw UpdateError(.sources, error.description)
        }
        for name in names where name.hasSuffix(".crt") || name.hasSuffix(".pem") {
            let path = "\(directory)/\(name)"
            let pem: [UInt8]
            do throws(SystemError) { pem = try Files.read(path, limit: 1 << 20) } catch {
                throw UpdateError(.sources, error.description)
            }
            do throws(CVDError) { try store.add(pem: pem) } catch {
                throw UpdateError(.sources, "\(path): \(error.description)")
            }
        }
        self.store = store
    }

    /// Copies a file.
    ///
    /// - Parameters:
    ///   - name: how its signatures name their source.
    ///   - formats: of an archive, the endings of members that are used; with none it is no archive.
    package func add(_ path: String, as name: String, formats: [String] = []) throws(UpdateError) {
        // Detached signatures are read with the containers that they are for.
        guard !name.hasSuffix(".sign") else { return }
        let copy: Mapping
        do throws(SystemError) {
            // It may belong to somebody who changes it meanwhile.
            copy = try Mapping(copyOf: path)
        } catch {
            throw UpdateError(.sources, "\(path): \(error.reason)")
        }
        if !formats.isEmpty, Formats.archives.contains(Formats.ending(of: name)) {
            archives.append((name, copy, Set(formats).intersection(Formats.signatures)))
        } else if let kind = CVDContainer.kind(ofFile: name) {
            containers.append(Source(name: name, stem: String(path.dropLast(4)), kind: kind, copy: copy))
        } else {
            owners.append(copy)
            files.append(SignatureFile(name: name, bytes: ByteView(copy.bytes)))
        }
    }

    /// Checks the containers and takes the files out of them.
    ///
    /// - Returns: those that are refused, with the reason; none of their files is used.
    /// - Throws: when there is no place for what they hold.
    package func unpack() throws(UpdateError) -> [Refused] {
        var refused: [Refused] = []
        for source in containers {
            do throws(CVDError) {
                let container = try CVDContainer(ByteView(source.copy.bytes), kind: source.kind)
                if isSuperseded(source, container.header) {
                    superseded.append(source.name)
                    continue
                }
                let detached = detachedSignature(of: source, container.header)
                _ = try container.verify(
                    detached: detached.map { DetachedSignature(ByteView($0.bytes)) }, store: store,
                    level: SignatureCompiler.level)
                withExtendedLifetime(detached) {}
                var members = MemberFile(temporary)
                try container.read(&members)
                try take(members, from: source.name)
            } catch {
                guard error.kind != .sink else { throw UpdateError(.files, error.description) }
                refused.append(Refused(file: source.name, reason: error.description))
            }
        }
        containers = []
        for archive in archives {
            var members = MemberFile(temporary)
            do throws(CVDError) {
                try ArchiveMembers.read(
                    ByteView(archive.copy.bytes), name: archive.name, endings: archive.formats, &members)
                try take(members, from: archive.name)
            } catch {
                guard error.kind != .sink else { throw UpdateError(.files, error.description) }
                refused.append(Refused(file: archive.name, reason: error.description))
            }
        }
        archives = []
        return refused
    }

    /// Of a container as released and one that incremental updates made of it, the newer one counts; of equal ones the second.
    private func isSuperseded(_ source: Source, _ header: CVDHeader) -> Bool {
        containers.contains { other in
            guard other.stem == source.stem, other.kind != source.kind,
                let rival = try? CVDContainer(ByteView(other.copy.bytes), kind: other.kind).header
            else { return false }
            return rival.version > header.version || (rival.version == header.version && source.kind == .cvd)
        }
    }

    /// The file `NAME-VERSION.cvd.sign` beside a container, if there is one.
    private func detachedSignature(of source: Source, _ header: CVDHeader) -> Mapping? {
        guard source.kind == .cvd, store != nil else { return nil }
        let name = Files.name(of: source.stem).prefix { $0 != "-" && $0 != "." }
        return try? Mapping(copyOf: "\(Files.parent(of: source.stem))/\(name)-\(header.version).cvd.sign")
    }

    private func take(_ members: MemberFile, from container: String) throws(CVDError) {
        let mapping = try members.map()
        owners.append(mapping)
        for member in members.members {
            files.append(
                SignatureFile(
                    name: "\(container):\(member.name)",
                    bytes: ByteView(mapping.bytes).slice(member.offset, member.offset + member.size)))
        }
    }
}

/// An unnamed file that takes the members of one container.
private struct MemberFile: CVDMemberSink {
    private(set) var members: [(name: String, offset: Int, size: Int)] = []
    private let directory: String
    private var file: Descriptor?
    private var size = 0

    init(_ directory: String) {
        self.directory = directory
    }

    mutating func begin(_ name: String, size: Int) throws(CVDError) {
        members.append((name, self.size, size))
    }

    mutating func append(_ bytes: ByteView) throws(CVDError) {
        do throws(SystemError) {
            let file = try open()
            try file.writeAll(UnsafeRawBufferPointer(bytes.buffer))
            size += bytes.count
            // Archives do not always say before how long a member is.
            members[members.count - 1].size = size - members[members.count - 1].offset
        } catch {
            throw CVDError(.sink, "there is no place for what a container holds: \(error.description)")
        }
    }

    mutating func end() throws(CVDError) {}

    private mutating func open() throws(SystemError) -> Descriptor {
        if let file { return file }
        let opened = try Descriptor.temporary(in: directory)
        file = opened
        return opened
    }

    func map() throws(CVDError) -> Mapping {
        do throws(SystemError) {
            guard let file else { return try Mapping(Descriptor.memory(name: "members"), size: 0) }
            return try Mapping(file, size: size)
        } catch {
            throw CVDError(.sink, "what a container holds cannot be read again: \(error.description)")
        }
    }
}
