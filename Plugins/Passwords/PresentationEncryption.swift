package import BytesE
package import ModuleKit
package import Unpacking

/// Encrypted presentations before 2007 (MS-PPT 2.3.7): each object of the stream that the directory of the last edit names
/// is encrypted by itself, with its number as the number of the block.
package struct PresentationEncryption {
    private let stream: ByteView
    /// Numbers and places of the objects.
    private var objects: [(number: Int, place: Int)] = []
    /// How the objects are encrypted.
    package private(set) var encryption: StreamEncryption?

    private static let mostEdits = 256
    private static let mostObjects = 1 << 16

    /// - Parameters:
    ///   - stream: "PowerPoint Document".
    ///   - user: "Current User", which tells that there is encryption, and where the last edit is; nil when it says
    ///     otherwise.
    package init?(_ stream: ByteView, user: ByteView) {
        guard user.load(UInt32.self, at: 12) == 0xf3d1_c4df, var edit = user.load(UInt32.self, at: 16).map({ Int($0) })
        else { return nil }
        self.stream = stream
        var session: UInt32?
        // The edits before are listed, too; what a later one names counts.
        for _ in 0..<Self.mostEdits {
            guard stream.load(UInt16.self, at: edit + 2) == 0x0ff5, let length = stream.load(UInt32.self, at: edit + 4),
                let before = stream.load(UInt32.self, at: edit + 16),
                let directory = stream.load(UInt32.self, at: edit + 20)
            else { break }
            if session == nil, length >= 32 { session = stream.load(UInt32.self, at: edit + 36) }
            readDirectory(Int(directory))
            guard before > 0, Int(before) < edit else { break }
            edit = Int(before)
        }
        guard let session, let place = objects.first(where: { $0.number == Int(session) })?.place,
            stream.load(UInt16.self, at: place + 2) == 0x2f14, let size = stream.load(UInt32.self, at: place + 4)
        else { return }
        encryption = StreamEncryption(stream.slice(place + 8, place + 8 + Int(size)))
        objects.removeAll { $0.number == Int(session) }
    }

    /// Runs of places: the first number in 20 bits, how many in 12.
    private mutating func readDirectory(_ start: Int) {
        guard stream.load(UInt16.self, at: start + 2) == 0x1772, let size = stream.load(UInt32.self, at: start + 4)
        else {
            return
        }
        var place = start + 8
        let end = place + Int(size)
        while place < end, let run = stream.load(UInt32.self, at: place) {
            place += 4
            for index in 0..<Int(run >> 20) {
                guard place < end, objects.count < Self.mostObjects, let offset = stream.load(UInt32.self, at: place)
                else {
                    return
                }
                objects.append((Int(run & 0xf_ffff) + index, Int(offset)))
                place += 4
            }
        }
    }

    /// Writes the stream with its objects decrypted; false when a limit is met.
    package func decrypt(_ key: [UInt8], into output: inout Output) throws(ModuleError) -> Bool {
        guard let encryption else { return true }
        var done = 0
        for object in objects.sorted(by: { $0.place < $1.place }) where object.place >= done {
            let head = encryption.decrypted(stream.slice(object.place, object.place + 8), key, block: object.number)
            guard head.count == 8 else { break }
            let size = head[4...].reversed().reduce(0) { $0 << 8 | Int($1) }
            let record = stream.slice(object.place, object.place + 8 + size)
            guard try output.append(stream.slice(done, object.place)),
                try output.append(encryption.decrypted(record, key, block: object.number))
            else { return false }
            done = object.place + record.count
        }
        return try output.append(stream.dropFirst(done))
    }
}
