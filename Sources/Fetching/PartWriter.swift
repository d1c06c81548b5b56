import Glibc
import Platform

/// The file that a download grows in, and the note beside it.
final class PartWriter {
    private let file: Descriptor
    private let note: String
    private let address: String
    private let step: Int
    /// Bytes that are there.
    private(set) var offset = 0
    private var noted = 0
    var validators = Validators()
    /// Size of the whole, as the server says.
    var announced: Int?
    /// Why a call of `attempt` failed.
    private(set) var failure: SystemError?

    init(part: String, note: String, address: String, step: Int) throws(SystemError) {
        file = try Descriptor.open(part, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o644)
        self.note = note
        self.address = address
        self.step = step
    }

    /// What is in the file already.
    var size: Int { Int((try? file.size()) ?? 0) }

    func startOver(_ version: Validators) throws(SystemError) {
        unlink(note)
        try cut(0)
        validators = version
    }

    func goOn(at offset: Int, of version: Validators) throws(SystemError) {
        try cut(offset)
        validators = version
    }

    private func cut(_ length: Int) throws(SystemError) {
        _ = try checked("ftruncate", note) { ftruncate(file.raw, off_t(length)) }
        _ = try checkedCount("lseek", note) { lseek(file.raw, off_t(length), SEEK_SET) }
        offset = length
        noted = length
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        try file.writeAll(bytes)
        offset += bytes.count
        if offset - noted >= step { try checkpoint() }
    }

    /// Flushes, then writes down how far it is.
    func checkpoint() throws(SystemError) {
        guard offset > noted else { return }
        try file.synchronize()
        try Files.replace(
            note, with: DownloadNote(address: address, validators: validators, length: offset).bytes)
        noted = offset
    }

    func close() throws(SystemError) { try file.synchronize() }

    /// Whether it worked; remembers why not.
    func attempt(_ body: () throws(SystemError) -> Void) -> Bool {
        do throws(SystemError) {
            try body()
            return true
        } catch {
            failure = error
            return false
        }
    }
}

/// What is known of a part: lines `name value`.
struct DownloadNote: Equatable {
    var address: String
    var validators: Validators
    var length: Int

    init(address: String, validators: Validators, length: Int) {
        self.address = address
        self.validators = validators
        self.length = length
    }

    /// nil when there is none that can be used.
    init?(read path: String) {
        guard let text = try? Files.text(path, limit: 16_384) else { return nil }
        self.init(text)
    }

    init?(_ text: String) {
        var values: [Substring: Substring] = [:]
        for line in text.split(separator: "\n") {
            guard let blank = line.firstIndex(of: " ") else { return nil }
            values[line[..<blank]] = line[line.index(after: blank)...]
        }
        guard let address = values["address"], let length = values["length"].flatMap({ Int($0) }), length >= 0 else {
            return nil
        }
        self.address = String(address)
        self.length = length
        validators = Validators(tag: values["tag"].map(String.init), modified: values["modified"].map(String.init))
    }

    var bytes: [UInt8] {
        var text = "address \(address)\nlength \(length)\n"
        if let tag = validators.tag { text += "tag \(tag)\n" }
        if let modified = validators.modified { text += "modified \(modified)\n" }
        return Array(text.utf8)
    }
}
