import BytesE
import CModuleABI
import ModuleKit
import Passwords
import Unpacking

/// PDF: the decoded content of every stream, and scripts that stand in dictionaries.
///
/// Objects are sought one after another from the beginning, whatever cross-reference tables say, so old revisions and
/// files with damaged tables are seen whole. What a dictionary says a stream is for is not believed either: an attached
/// file may call itself a picture. Only the filters of pictures are not undone.
final class PDFUnpacker: Unpacker {
    private let syntax: PDFSyntax
    private var position = 0
    private var encryption: PDFEncryption?
    private var isPrepared = false
    /// Whether the file is encrypted and cannot be opened.
    private var isClosed = false

    private static let mostFilters = 8

    override init(_ scan: ScanContext, _ object: UnsafePointer<em_object>, format: StaticString) {
        syntax = PDFSyntax(ByteView(object.pointee.data))
        super.init(scan, object, format: format)
    }

    static var extractor: Extractor {
        Extractor(
            "PDF",
            identify: { candidate in
                // Readers accept other bytes before the header.
                guard let place = candidate.data.prefix(1024).firstIndex(of: ByteView("%PDF-")) else {
                    // A signature, or who submitted it, says that it is one.
                    return candidate.object.type == EM_TYPE_PDF ? Claim(.whole, sureness: 30, type: EM_TYPE_PDF) : nil
                }
                return place == 0 ? .magic(EM_TYPE_PDF) : Claim(.whole, sureness: 70, type: EM_TYPE_PDF)
            },
            open: { scan, object, _ throws(ModuleError) in PDFUnpacker(scan, object, format: "PDF") })
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        if !isPrepared {
            isPrepared = true
            try prepareEncryption()
        }
        while let object = try nextObject(from: position) {
            try scan.check()
            position = object.end
            guard let dictionary = object.dictionary else { continue }
            if object.stream != nil {
                let range = syntax.streamRange(object) { number in self.length(of: number) }
                guard let range else { continue }
                position = max(position, range.upperBound)
                if try submitStream(object, dictionary, range) { return true }
            } else if try submitScript(in: dictionary, of: syntax) {
                return true
            }
        }
        return false
    }

    private func nextObject(from start: Int) throws(ModuleError) -> PDFObject? {
        try syntax.nextObject(from: start) { () throws(ModuleError) in try scan.check() }
    }

    // MARK: Streams

    private func submitStream(
        _ object: PDFObject, _ dictionary: Range<Int>, _ range: Range<Int>
    ) throws(ModuleError) -> Bool {
        var child = Child()
        child.offset = UInt64(range.lowerBound)
        child.extent = UInt64(range.count)
        let plain = data.slice(range.lowerBound, range.upperBound)
        // Cross-reference streams are never encrypted.
        guard isClosed || encryption != nil, !syntax.isName(at: syntax.value(of: "Type", in: dictionary), "XRef") else {
            return try submitContent(plain, dictionary, child, isInPlace: true)
        }
        var hasChild = true
        if let encryption {
            var decrypted = child
            var output = try Output(scan, in: self.object, expected: plain.count)
            try encryption.decrypt(plain, of: object, into: &output)
            try close(&output, &decrypted)
            hasChild = try submitContent(decrypted.data, dictionary, decrypted, isInPlace: false)
        } else {
            var closed = child
            closed.flags |= EM_OBJECT_ENCRYPTED
            try submit(closed)
        }
        // What calls the file encrypted may stand where readers do not look, as in a comment or in another file that
        // lies in this one: whatever can be read without its encryption is read so, too.
        return try submitContent(plain, dictionary, child, isInPlace: true, onlyWhole: true) || hasChild
    }

    /// Undoes the filters of a stream and submits what comes out; whether there was something to submit.
    ///
    /// - Parameter onlyWhole: what the filters do not fit is nothing to submit.
    private func submitContent(
        _ plain: ByteView, _ dictionary: Range<Int>, _ child: Child, isInPlace: Bool, onlyWhole: Bool = false
    ) throws(ModuleError) -> Bool {
        var content = plain
        var child = child
        var isInPlace = isInPlace
        for (number, filter) in filters(of: dictionary).prefix(Self.mostFilters).enumerated() {
            let parameters = parameters(of: dictionary, filter: number)
            if case .picture = filter { break }
            if case .crypt = filter { continue }
            if case .unknown = filter {
                child.flags |= EM_OBJECT_UNSUPPORTED
                break
            }
            var output = try Output(scan, in: self.object, expected: content.count)
            let isWhole = try filter.decode(
                content, earlyChange: syntax.number(of: "EarlyChange", in: parameters) ?? 1 != 0,
                into: &output)
            if !isWhole, output.stoppedBy == 0 {
                if onlyWhole { return false }
                child.flags |= EM_OBJECT_MALFORMED
            }
            try close(&output, &child)
            content = try undoPredictor(parameters, filter, child.data, &child)
            isInPlace = false
        }
        if isInPlace { child.flags |= EM_OBJECT_IN_PLACE }
        child.data = content
        guard !content.isEmpty else { return false }
        try submit(child)
        if syntax.isName(at: syntax.value(of: "Type", in: dictionary), "ObjStm") {
            try submitScripts(inObjects: content)
        }
        return true
    }

    private func filters(of dictionary: Range<Int>) -> [PDFFilter] {
        guard let place = syntax.value(of: "Filter", in: dictionary) ?? syntax.value(of: "F", in: dictionary),
            place.lowerBound < place.upperBound
        else { return [] }
        if data[place.lowerBound] == 0x2f { return [PDFFilter(syntax, at: place)] }
        guard data[place.lowerBound] == 0x5b else {
            // A reference to an array or a name elsewhere.
            guard let number = syntax.reference(at: place), let object = find(number), data[object.start] == 0x2f else {
                return []
            }
            return [PDFFilter(syntax, at: object.start..<data.count)]
        }
        var result: [PDFFilter] = []
        let end = syntax.valueEnd(place.lowerBound, place.upperBound)
        var index = place.lowerBound + 1
        while index < end, result.count < Self.mostFilters {
            index = syntax.skipSpace(index, end)
            guard index < end, data[index] != 0x5d else { break }
            if data[index] == 0x2f { result.append(PDFFilter(syntax, at: index..<end)) }
            index = max(index + 1, syntax.valueEnd(index, end))
        }
        return result
    }

    /// The parameters of a filter: a dictionary, or the one at the filter's place in an array, in which null stands for
    /// none. Empty when there are none.
    private func parameters(of dictionary: Range<Int>, filter: Int) -> Range<Int> {
        let none = dictionary.lowerBound..<dictionary.lowerBound
        guard let place = syntax.value(of: "DecodeParms", in: dictionary) ?? syntax.value(of: "DP", in: dictionary),
            place.lowerBound < place.upperBound
        else { return none }
        guard data[place.lowerBound] == 0x5b else { return parameters(at: place) ?? none }
        let end = syntax.valueEnd(place.lowerBound, place.upperBound)
        var index = syntax.skipSpace(place.lowerBound + 1, end)
        for _ in 0..<filter {
            // A reference is three values.
            let isReference = syntax.reference(at: index..<end) != nil
            for _ in 0..<(isReference ? 3 : 1) {
                guard index < end, data[index] != 0x5d else { return none }
                index = syntax.skipSpace(max(index + 1, syntax.valueEnd(index, end)), end)
            }
        }
        return parameters(at: index..<end) ?? none
    }

    /// The dictionary at a place, or the one that stands elsewhere and is referred to.
    private func parameters(at place: Range<Int>) -> Range<Int>? {
        if data.slice(place.lowerBound, place.upperBound).hasPrefix(ByteView("<<")) {
            return place.lowerBound..<syntax.valueEnd(place.lowerBound, place.upperBound)
        }
        return syntax.reference(at: place).flatMap { find($0)?.dictionary }
    }

    private func undoPredictor(
        _ parameters: Range<Int>, _ filter: PDFFilter, _ content: ByteView, _ child: inout Child
    ) throws(ModuleError) -> ByteView {
        switch filter {
        case .flate, .lzw: break
        default: return content
        }
        guard let predictor = syntax.number(of: "Predictor", in: parameters), predictor > 1 else { return content }
        func number(_ key: StaticString, _ otherwise: Int) -> Int {
            min(1 << 16, max(1, syntax.number(of: key, in: parameters) ?? otherwise))
        }
        var output = try Output(scan, in: object, expected: content.count)
        try PDFFilter.undoPredictor(
            predictor, columns: number("Columns", 1), colors: min(32, number("Colors", 1)),
            bits: min(16, number("BitsPerComponent", 8)), content, into: &output)
        try close(&output, &child)
        return child.data
    }

    // MARK: Scripts

    /// Submits the script that a dictionary has as a string; whether it has one.
    private func submitScript(in dictionary: Range<Int>, of syntax: PDFSyntax) throws(ModuleError) -> Bool {
        // Few dictionaries have the two letters at all.
        let text = syntax.bytes.slice(dictionary.lowerBound, dictionary.upperBound)
        guard text.firstIndex(of: ByteView("/J")) != nil, let place = syntax.value(of: "JS", in: dictionary),
            let script = syntax.string(at: place), !script.isEmpty
        else { return false }
        var output = try Output(scan, in: object, expected: script.count)
        _ = try script.span.withUnsafeBufferPointer { buffer throws(ModuleError) in try output.append(ByteView(buffer))
        }
        var child = Child()
        child.type = EM_TYPE_SCRIPT
        try close(&output, &child)
        try submit(child, name: ByteView("script.js").array)
        return true
    }

    /// The scripts in the objects of an object stream, which stand there without "obj".
    private func submitScripts(inObjects content: ByteView) throws(ModuleError) {
        let inner = PDFSyntax(content)
        var index = 0
        while let hit = content.firstIndex(of: ByteView("<<"), from: index) {
            try scan.check()
            let end = inner.valueEnd(hit, content.count)
            if try submitScript(in: hit..<end, of: inner) {
                index = end
            } else {
                index = hit + 2
            }
        }
    }

    // MARK: Encryption and references

    /// Finds the encryption dictionary, in a trailer or a cross-reference stream.
    private func prepareEncryption() throws(ModuleError) {
        guard let hit = data.firstIndex(of: ByteView("/Encrypt")) else { return }
        let after = hit + 8
        guard after < data.count, PDFSyntax.isSpace(data[after]) || PDFSyntax.isDelimiter(data[after]) else { return }
        let start = syntax.skipSpace(after, data.count)
        var dictionary: Range<Int>?
        if data.dropFirst(start).hasPrefix(ByteView("<<")) {
            dictionary = start..<syntax.valueEnd(start, data.count)
        } else if let number = syntax.reference(at: start..<min(data.count, start + 64)) {
            dictionary = find(number)?.dictionary
        }
        guard let dictionary else {
            isClosed = true
            return found(EM_OBJECT_ENCRYPTED)
        }
        let identity = fileIdentity()
        encryption = PDFEncryption(syntax, dictionary: dictionary, identity: identity)
        if encryption == nil { try tryPasswords(dictionary, identity) }
        isClosed = encryption == nil
        if isClosed { found(EM_OBJECT_ENCRYPTED) }
    }

    /// Looks for a password other than the empty one.
    private func tryPasswords(_ dictionary: Range<Int>, _ identity: [UInt8]) throws(ModuleError) {
        var work = mostRoundsOfObject
        for password in try passwords(for: object, scan, as: "CL_TYPE_PDF") {
            guard try mayTry(Self.costOfPassword, scan, &work) else { return }
            encryption = PDFEncryption(syntax, dictionary: dictionary, identity: identity, password: password)
            if encryption != nil { return noteFitting(password, object, scan) }
        }
    }

    /// In rounds of a hash: the newest way of encryption takes as long as so many.
    private static let costOfPassword = 8000

    private func fileIdentity() -> [UInt8] {
        var index = 0
        while let hit = data.firstIndex(of: ByteView("/ID"), from: index) {
            index = hit + 3
            let open = syntax.skipSpace(index, data.count)
            guard open < data.count, data[open] == 0x5b else { continue }
            let start = syntax.skipSpace(open + 1, data.count)
            if let text = syntax.string(at: start..<min(data.count, start + 1024)) { return text }
        }
        return []
    }

    /// How many objects were looked up: each costs a search through the file.
    private var lookups = 0
    private static let mostLookups = 512

    /// The last object with a number.
    private func find(_ number: Int) -> PDFObject? {
        guard lookups < Self.mostLookups else { return nil }
        lookups += 1
        var text = decimal(number)
        text.append(0x20)
        return text.withUnsafeBufferPointer { buffer -> PDFObject? in
            let needle = ByteView(buffer)
            var index = 0
            var result: PDFObject?
            var looked = 0
            // Numbers are everywhere; so many places are tried.
            while looked < 4096, let hit = data.firstIndex(of: needle, from: index) {
                looked += 1
                index = hit + 1
                guard hit == 0 || PDFSyntax.isSpace(data[hit - 1]) || PDFSyntax.isDelimiter(data[hit - 1]) else {
                    continue
                }
                let generation = syntax.skipSpace(hit + needle.count, data.count)
                guard let found = syntax.number(at: generation, data.count) else { continue }
                let keyword = syntax.skipSpace(found.end, min(data.count, found.end + 16))
                guard data.dropFirst(keyword).hasPrefix(ByteView("obj")) else { continue }
                let start = syntax.skipSpace(keyword + 3, data.count)
                let isDictionary = data.dropFirst(start).hasPrefix(ByteView("<<"))
                result = PDFObject(
                    number: number, generation: found.value, start: min(start, max(0, data.count - 1)),
                    dictionary: isDictionary ? start..<syntax.valueEnd(start, data.count) : nil, stream: nil, end: start
                )
            }
            return result
        }
    }

    private func decimal(_ number: Int) -> [UInt8] {
        var digits: [UInt8] = []
        var left = max(0, number)
        repeat {
            digits.append(0x30 + UInt8(left % 10))
            left /= 10
        } while left > 0
        return digits.reversed()
    }

    /// The number that an object is: of lengths that stand elsewhere.
    private func length(of number: Int) -> Int? {
        find(number).flatMap { syntax.number(at: $0.start, data.count)?.value }
    }
}
