import BytesE
import ModuleKit

/// One object "12 0 obj …" of a PDF, found where it stands: cross-reference tables are not believed.
struct PDFObject {
    let number: Int
    let generation: Int
    /// Its value.
    let start: Int
    /// The dictionary that it is or begins with; nil for other values.
    let dictionary: Range<Int>?
    /// Where the bytes of its stream begin; nil when it has none.
    let stream: Int?
    /// Behind what was read of it.
    let end: Int
}

extension PDFSyntax {
    /// The next object at or after a place.
    func nextObject(from start: Int, check: () throws(ModuleError) -> Void) throws(ModuleError) -> PDFObject? {
        var index = start
        while index < bytes.count {
            let window = bytes.prefix(index + 65536 + 3)
            guard let hit = window.firstIndex(of: ByteView("obj"), from: index) else {
                index += 65536
                try check()
                continue
            }
            index = hit + 3
            // "endobj" is none.
            guard let head = head(before: hit) else { continue }
            return object(head.number, head.generation, at: hit + 3)
        }
        return nil
    }

    /// The two numbers before "obj".
    private func head(before place: Int) -> (number: Int, generation: Int)? {
        var index = place
        func numberBefore() -> Int? {
            while index > 0, Self.isSpace(bytes[index - 1]) { index -= 1 }
            let end = index
            while index > 0, end - index < 10, bytes[index - 1] &- 0x30 < 10 { index -= 1 }
            return index < end ? number(at: index, end)?.value : nil
        }
        guard let generation = numberBefore(), index > 0, Self.isSpace(bytes[index - 1]), let number = numberBefore()
        else { return nil }
        return (number, generation)
    }

    private func object(_ number: Int, _ generation: Int, at place: Int) -> PDFObject {
        let start = skipSpace(place, bytes.count)
        guard start + 1 < bytes.count, bytes[start] == 0x3c, bytes[start + 1] == 0x3c else {
            return PDFObject(
                number: number, generation: generation, start: start, dictionary: nil, stream: nil, end: place)
        }
        let dictionary = start..<valueEnd(start, bytes.count)
        var stream: Int?
        let keyword = skipSpace(dictionary.upperBound, bytes.count)
        if bytes.dropFirst(keyword).hasPrefix(ByteView("stream")) {
            var first = keyword + 6
            if first < bytes.count, bytes[first] == 0x0d { first += 1 }
            if first < bytes.count, bytes[first] == 0x0a { first += 1 }
            stream = first
        }
        return PDFObject(
            number: number, generation: generation, start: start, dictionary: dictionary, stream: stream,
            end: stream ?? dictionary.upperBound)
    }

    /// The bytes of an object's stream: as long as the dictionary says, when "endstream" follows there, otherwise up to
    /// the next "endstream".
    func streamRange(_ object: PDFObject, length: (Int) -> Int?) -> Range<Int>? {
        guard let start = object.stream, let dictionary = object.dictionary else { return nil }
        if let place = value(of: "Length", in: dictionary) {
            let size =
                reference(at: place).flatMap(length) ?? number(at: place.lowerBound, place.upperBound)?.value ?? -1
            if size >= 0, size <= bytes.count - start {
                let after = skipSpace(start + size, min(bytes.count, start + size + 16))
                if bytes.dropFirst(after).hasPrefix(ByteView("endstream")) { return start..<(start + size) }
            }
        }
        guard
            var end = bytes.firstIndex(of: ByteView("endstream"), from: start)
                ?? bytes.firstIndex(of: ByteView("endobj"), from: start)
        else { return start..<bytes.count }
        if end > start, bytes[end - 1] == 0x0a { end -= 1 }
        if end > start, bytes[end - 1] == 0x0d { end -= 1 }
        return start..<end
    }
}
