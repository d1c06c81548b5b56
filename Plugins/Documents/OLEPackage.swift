import BytesE

/// The native data of a "Package" object (OLE1): a file that somebody put into a document.
///
/// Not specified publicly in full; the fields as every reader of it has them: flag 2, label, file name, two words,
/// length and text of the temporary path, length and bytes of the file.
struct OLEPackage {
    let name: ByteView
    let data: ByteView
    /// Where the file's bytes begin in what was given.
    let offset: Int
    let isComplete: Bool

    /// - Parameter bytes: begins with the flag, behind the length that a stream has before it.
    init?(_ bytes: ByteView) {
        guard bytes.load(UInt16.self, at: 0) == 2 else { return nil }
        var index = 2
        func text() -> ByteView? {
            guard let end = bytes.firstIndex(of: 0, from: index), end - index <= 4096 else { return nil }
            defer { index = end + 1 }
            return bytes.slice(index, end)
        }
        guard let label = text(), let path = text() else { return nil }
        index += 4
        guard let pathLength = bytes.load(UInt32.self, at: index), Int(pathLength) <= bytes.count - index else {
            return nil
        }
        index += 4 + Int(pathLength)
        guard let size = bytes.load(UInt32.self, at: index) else { return nil }
        index += 4
        data = bytes.slice(index, index + Int(size))
        offset = index
        isComplete = data.count == Int(size)
        name = label.isEmpty ? path : label
    }
}
