import Platform
package import ScanClient
import ScanProtocol

/// What is to be scanned: short content that came over the connection, or an open file.
package enum ScanTarget: Sendable {
    /// At most `ScanTarget.shortest` bytes: it travels within the request.
    case content([UInt8], name: String)
    /// A larger stream that this agent keeps, or a file of somebody else, which may change while it is looked at.
    case object(ScanObject, isForeign: Bool)

    /// Bytes up to which content is short.
    package static let shortest = WireLimits.content

    package var name: String {
        switch self {
        case .content(_, let name): name
        case .object(let object, _): object.name
        }
    }

    package var size: UInt64 {
        switch self {
        case .content(let bytes, _): UInt64(bytes.count)
        case .object(let object, _): object.size
        }
    }

    var isForeign: Bool {
        if case .object(_, let isForeign) = self { isForeign } else { false }
    }
}

/// Collects one INSTREAM: in memory while it is short, then as a `ScanObjectWriter` does.
struct StreamCollector {
    private let directory: String
    private var content: [UInt8] = []
    private var writer: ScanObjectWriter?
    /// Bytes so far.
    private(set) var size: UInt64 = 0

    /// - Parameter directory: where the unnamed file of a large stream is made.
    init(directory: String) {
        self.directory = directory
    }

    /// Appends bytes. After an error the stream is lost.
    mutating func append(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        size += UInt64(bytes.count)
        if writer == nil {
            guard size > UInt64(ScanTarget.shortest) else {
                content.append(contentsOf: bytes)
                return
            }
            var fresh = ScanObjectWriter(directory: directory)
            try fresh.append(content)
            writer = fresh
            content = []
        }
        try writer?.append(bytes)
    }

    /// Ends it.
    consuming func finish(name: String) throws(SystemError) -> ScanTarget {
        guard let writer else { return .content(content, name: name) }
        return .object(try writer.finish(name: name), isForeign: false)
    }
}
