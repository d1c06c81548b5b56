import Bytes
import Synchronization

extension ScanOptions {
    /// Options of one request at most.
    private static let most = 1_024

    var encoded: [UInt8] {
        var writer = WireWriter()
        let numbers = numbers.sorted { $0.key < $1.key }.prefix(Self.most)
        writer.write(UInt32(numbers.count))
        for (name, value) in numbers {
            writer.write(name)
            writer.write(value)
        }
        let texts = texts.sorted { $0.key < $1.key }.prefix(Self.most)
        writer.write(UInt32(texts.count))
        for (name, value) in texts {
            writer.write(name)
            writer.write(value)
        }
        return writer.bytes
    }

    init(from reader: inout WireReader) throws(WireError) {
        var numbers: [String: Int64] = [:]
        for _ in 0..<(try reader.count("numbers", limit: Self.most, minimumSize: 12)) {
            let name = try reader.text("option")
            numbers[name] = try reader.integer("value of an option")
        }
        var texts: [String: String] = [:]
        for _ in 0..<(try reader.count("texts", limit: Self.most, minimumSize: 8)) {
            let name = try reader.text("option")
            texts[name] = try reader.text("value of an option")
        }
        self.init(numbers: numbers, texts: texts)
    }
}

/// Options that were decoded lately. Agents send the same few again and again, and decoding them costs more than
/// scanning a short message.
final class KnownOptions: Sendable {
    static let shared = KnownOptions()
    /// There are about as many as agents and policies; more only cost time.
    private static let most = 16
    /// Longer ones are not kept: a client could fill the memory with them.
    private static let longest = 65_536
    private let entries = Mutex<[(wire: [UInt8], options: ScanOptions)]>([])

    /// Reads the options, which are the last fields of a message.
    func options(from reader: inout WireReader) throws(WireError) -> ScanOptions {
        let rest = reader.rest
        let known = entries.withLock { entries in
            rest.withUnsafeBytes { rest in
                entries.first { known in
                    known.wire.count == rest.count
                        && known.wire.withUnsafeBytes { ByteView($0).equals(ByteView(rest)) }
                }?.options
            }
        }
        if let known {
            reader.skip(rest.count)
            return known
        }
        let wire = Array(rest)
        let options = try ScanOptions(from: &reader)
        guard reader.left == 0, wire.count <= Self.longest else { return options }
        entries.withLock { entries in
            if entries.count >= Self.most { entries.removeFirst() }
            entries.append((wire, options))
        }
        return options
    }
}
