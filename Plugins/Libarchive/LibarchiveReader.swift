package import BytesE
import CArchive
package import CModuleABI
package import ModuleKit

/// What is enabled in a reader: one bit for each format and each filter.
package struct LibarchiveSupport: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let sevenZip = LibarchiveSupport(rawValue: 1 << 0)
    package static let rar = LibarchiveSupport(rawValue: 1 << 1)
    package static let cab = LibarchiveSupport(rawValue: 1 << 2)
    package static let iso9660 = LibarchiveSupport(rawValue: 1 << 4)
    package static let xar = LibarchiveSupport(rawValue: 1 << 5)
    package static let cpio = LibarchiveSupport(rawValue: 1 << 6)
    package static let ar = LibarchiveSupport(rawValue: 1 << 7)
    package static let warc = LibarchiveSupport(rawValue: 1 << 8)
    package static let zip = LibarchiveSupport(rawValue: 1 << 9)

    package static let bzip2 = LibarchiveSupport(rawValue: 1 << 16)
    package static let xz = LibarchiveSupport(rawValue: 1 << 17)
    package static let lzma = LibarchiveSupport(rawValue: 1 << 18)
    package static let zstd = LibarchiveSupport(rawValue: 1 << 21)
    package static let gzip = LibarchiveSupport(rawValue: 1 << 23)
    package static let rpm = LibarchiveSupport(rawValue: 1 << 24)

    /// Decoders that keep what they wrote, up to gigabytes if the archive says so.
    private static let keepsOutput: LibarchiveSupport = [.sevenZip, .rar, .xz, .lzma, .zstd, .zip]

    /// Takes room out of the scan's memory for what the decoder may keep beside the output, so that both together stay
    /// within the limit. Nothing is written there, so it costs no memory by itself; the decoder writes to its window no
    /// more than comes out of it.
    package func reserveWindow(_ scan: ScanContext, for object: UnsafePointer<em_object>) throws(ModuleError) {
        guard !isDisjoint(with: Self.keepsOutput) else { return }
        let left = scan.left(EM_BUDGET_MEMORY, for: object)
        guard left < 1 << 40 else { return }
        _ = try scan.allocate(Int(left / 2))
    }
}

/// One archive that libarchive reads from memory. The bytes must stay where they are as long as the reader lives.
///
/// libarchive works in memory of its own (malloc), at most the window of the compression besides what it hands out.
package final class LibarchiveReader {
    private let archive: OpaquePointer
    private let source: UnsafeMutablePointer<Source>

    /// What the callbacks of libarchive see.
    fileprivate struct Source {
        let scan: ScanContext
        /// Bytes before `data`, e.g. a header that we made.
        let head: ByteView
        let data: ByteView
        var position = 0
        /// What ended the reading, when it was not the archive's end.
        var failure: ModuleError?

        var count: Int { head.count + data.count }
        /// Bytes handed over at once: after each the budget is asked.
        static let step = 65536
    }

    /// Opens an archive; nil when libarchive refuses it at once.
    package init?(
        _ scan: ScanContext, head: ByteView = ByteView(), _ data: ByteView, _ support: LibarchiveSupport
    ) {
        guard let archive = archive_read_new() else { return nil }
        self.archive = archive
        source = .allocate(capacity: 1)
        source.initialize(to: Source(scan: scan, head: head, data: data))
        Self.enable(support, archive)
        archive_read_set_seek_callback(archive, seekSource)
        let result = archive_read_open2(archive, source, nil, readSource, skipSource, nil)
        guard result == ARCHIVE_OK || result == ARCHIVE_WARN else {
            close()
            return nil
        }
    }

    deinit { close() }

    private var isOpen = true
    private func close() {
        guard isOpen else { return }
        isOpen = false
        archive_read_free(archive)
        source.deinitialize(count: 1)
        source.deallocate()
    }

    private static func enable(_ support: LibarchiveSupport, _ archive: OpaquePointer) {
        if support.contains(.sevenZip) { archive_read_support_format_7zip(archive) }
        if support.contains(.rar) {
            archive_read_support_format_rar(archive)
            archive_read_support_format_rar5(archive)
        }
        if support.contains(.cab) { archive_read_support_format_cab(archive) }
        if support.contains(.iso9660) { archive_read_support_format_iso9660(archive) }
        if support.contains(.xar) { archive_read_support_format_xar(archive) }
        if support.contains(.cpio) { archive_read_support_format_cpio(archive) }
        if support.contains(.ar) { archive_read_support_format_ar(archive) }
        if support.contains(.warc) { archive_read_support_format_warc(archive) }
        if support.contains(.zip) { archive_read_support_format_zip_streamable(archive) }
        if support.contains(.bzip2) { archive_read_support_filter_bzip2(archive) }
        if support.contains(.xz) { archive_read_support_filter_xz(archive) }
        if support.contains(.lzma) { archive_read_support_filter_lzma(archive) }
        if support.contains(.zstd) { archive_read_support_filter_zstd(archive) }
        if support.contains(.gzip) { archive_read_support_filter_gzip(archive) }
        if support.contains(.rpm) { archive_read_support_filter_rpm(archive) }
    }

    /// How a step of the reading ended.
    package enum Outcome: Sendable {
        case ready
        case end
        /// This entry cannot be read, later ones may be: an unknown method, or encrypted.
        case failed
        /// Nothing more can be read: damaged or truncated.
        case fatal
    }

    /// Goes on to the next entry, which is there when the outcome is `.ready`.
    package func next() throws(ModuleError) -> (outcome: Outcome, entry: LibarchiveEntry?) {
        var entry: OpaquePointer?
        let outcome = try outcome(archive_read_next_header(archive, &entry))
        return (outcome, outcome == .ready ? entry.map { LibarchiveEntry($0) } : nil)
    }

    /// Reads some content of the current entry; 0 bytes is its end.
    package func read(
        into room: UnsafeMutableBufferPointer<UInt8>
    ) throws(ModuleError) -> (outcome: Outcome, count: Int) {
        let count = archive_read_data(archive, room.baseAddress, room.count)
        if count > 0 { return (.ready, count) }
        if count == 0 { return (.end, 0) }
        return (try outcome(Int32(truncatingIfNeeded: count)), 0)
    }

    /// Adds a password to try on entries that are encrypted; before the first `next`.
    package func add(password: ByteView) {
        let bytes = password.array + [0]
        bytes.withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { _ = archive_read_add_passphrase(archive, $0.baseAddress) }
        }
    }

    /// Whether the archive holds something encrypted, as far as is known.
    package var hasEncryptedEntries: Bool { archive_read_has_encrypted_entries(archive) == 1 }

    private func outcome(_ result: Int32) throws(ModuleError) -> Outcome {
        if let failure = source.pointee.failure { throw failure }
        switch result {
        case ARCHIVE_OK, ARCHIVE_WARN: return .ready
        case ARCHIVE_EOF: return .end
        case ARCHIVE_RETRY: return .failed
        case ARCHIVE_FAILED: return .failed
        default: return .fatal
        }
    }
}

private func source(_ data: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<LibarchiveReader.Source>? {
    data?.assumingMemoryBound(to: LibarchiveReader.Source.self)
}

/// Hands over the next bytes in place.
private func readSource(
    _: OpaquePointer?, _ data: UnsafeMutableRawPointer?, _ buffer: UnsafeMutablePointer<UnsafeRawPointer?>?
) -> Int {
    guard let source = source(data), let buffer else { return Int(ARCHIVE_FATAL) }
    do throws(ModuleError) {
        try source.pointee.scan.check()
    } catch {
        source.pointee.failure = error
        return Int(ARCHIVE_FATAL)
    }
    let position = source.pointee.position
    let head = source.pointee.head
    let part = position < head.count ? head.dropFirst(position) : source.pointee.data.dropFirst(position - head.count)
    let bytes = part.prefix(LibarchiveReader.Source.step)
    guard !bytes.isEmpty else { return 0 }
    source.pointee.position += bytes.count
    buffer.pointee = bytes.slice.ptr.map { UnsafeRawPointer($0) }
    return bytes.count
}

private func skipSource(_: OpaquePointer?, _ data: UnsafeMutableRawPointer?, _ request: Int64) -> Int64 {
    guard let source = source(data), request > 0 else { return 0 }
    let skipped = min(request, Int64(source.pointee.count - source.pointee.position))
    source.pointee.position += Int(skipped)
    return skipped
}

private func seekSource(
    _: OpaquePointer?, _ data: UnsafeMutableRawPointer?, _ offset: Int64, _ whence: Int32
) -> Int64 {
    guard let source = source(data) else { return Int64(ARCHIVE_FATAL) }
    let base: Int64
    switch whence {
    case 0: base = 0
    case 1: base = Int64(source.pointee.position)
    case 2: base = Int64(source.pointee.count)
    default: return Int64(ARCHIVE_FATAL)
    }
    let (place, overflow) = base.addingReportingOverflow(offset)
    guard !overflow, place >= 0 else { return Int64(ARCHIVE_FATAL) }
    source.pointee.position = Int(min(place, Int64(source.pointee.count)))
    return Int64(source.pointee.position)
}
