import BytesE
import CModuleABI
import CompoundFiles
import MIMEE
import MailFormats
import ModuleKit
import Passwords
import Unpacking

/// Compound files (MS-CFB): Word, Excel, PowerPoint before 2007, Outlook messages, Hangul documents, installers. Every
/// stream is a child; packages, attachments, macros and embedded presentations come out as the files they are.
final class OLEUnpacker: Unpacker {
    private var file: CompoundFile?
    private var parents: [Int] = []
    private var index = 0
    /// Where in the stream under way the embedded objects of a presentation are sought.
    private var presentation: PresentationObjects?
    /// Whether the streams of a Hangul document are deflated.
    private var isHangulPacked = false

    static var extractor: Extractor {
        Extractor(
            "OLE2",
            identify: { candidate in CompoundFile.isOne(candidate.data) ? .magic(EM_TYPE_OLE2) : nil },
            open: { scan, object, _ throws(ModuleError) in OLEUnpacker(scan, object, format: "OLE2") })
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        if file == nil {
            guard let read = CompoundFile(data) else {
                found(EM_OBJECT_MALFORMED)
                return false
            }
            if read.isCut { overLimit(EM_BUDGET_OBJECTS) }
            parents = read.parents()
            file = read
            if let flags = hangulFlags(read) {
                isHangulPacked = flags & 1 != 0
                if flags & 2 != 0 { found(EM_OBJECT_ENCRYPTED) }
            }
        }
        guard let file else { return false }
        if try nextOfPresentation() { return true }
        while index < file.entries.count {
            try scan.check()
            let number = index
            index += 1
            guard file.entries[number].kind == 2, file.entries[number].size > 0 else { continue }
            if file.isNamed(number, "EncryptedPackage"), try submitDecrypted(file, number) { return true }
            if file.isNamed(number, "EncryptedPackage") || file.isNamed(number, "EncryptedSummary") {
                found(EM_OBJECT_ENCRYPTED)
            }
            try submitStream(file, number)
            return true
        }
        return false
    }

    /// Submits the package that a document is encrypted into (MS-OFFCRYPTO), when a password is found; whether one was.
    private func submitDecrypted(_ file: CompoundFile, _ number: Int) throws(ModuleError) -> Bool {
        guard let place = file.entries.indices.first(where: { file.isNamed($0, "EncryptionInfo") }) else {
            return false
        }
        let info = file.stream(file.entries[place], limit: 16384)
        guard let encryption = info.withUnsafeBufferPointer({ OfficeEncryption(ByteView($0)) }) else { return false }
        var work = mostRoundsOfObject
        for password in [OfficeEncryption.builtIn.array] + (try passwords(for: object, scan, as: "CL_TYPE_MSOLE2")) {
            guard try mayTry(encryption.cost, scan, &work) else { return false }
            guard let key = encryption.key(password) else { continue }
            var child = Child()
            let content = try streamContent(file, number, &child)
            var output = try Output(scan, in: object, expected: content.count)
            _ = try encryption.decrypt(content, key, into: &output)
            try close(&output, &child)
            noteFitting(password, object, scan)
            try submit(child)
            return true
        }
        return false
    }

    private func submitStream(_ file: CompoundFile, _ number: Int) throws(ModuleError) {
        var child = Child()
        var content = try streamContent(file, number, &child)
        var isDecrypted = false
        if let plain = try decrypted(content, file, number, &child) {
            content = plain
            isDecrypted = true
        }
        child.data = content
        if file.isNamed(number, Self.compressedRTF) { try submitRTF(content) }
        if isHangulPacked, let inflated = try inflated(content, &child) { child.data = inflated }
        try submit(child, name: streamName(file, number))
        if file.isNamed(number, "\u{1}Ole10Native") { try submitPackage(content) }
        if file.isNamed(number, "PowerPoint Document") {
            // What was decrypted is not in the file to be read again.
            if isDecrypted {
                _ = try submit(PresentationObjects(content), in: content)
            } else {
                presentation = PresentationObjects(content)
            }
        }
        try submitMacros(content)
    }

    /// The text of an Outlook message as compressed RTF (MS-OXMSG; MS-OXRTFCP).
    private static let compressedRTF: StaticString = "__substg1.0_10090102"

    private func submitRTF(_ content: ByteView) throws(ModuleError) {
        var output = try Output(scan, in: object, expected: 4 * content.count)
        try expandCompressedRTF(content, into: &output)
        guard output.count > 0 else { return }
        var child = Child()
        child.type = EM_TYPE_RTF
        try close(&output, &child)
        try submit(child, name: ByteView("body.rtf").array)
    }

    /// The plain form of an encrypted stream of Word or Excel (before 2007); nil when it is not encrypted, or cannot be
    /// opened, which is told.
    private func decrypted(
        _ content: ByteView, _ file: CompoundFile, _ number: Int, _ child: inout Child
    ) throws(ModuleError) -> ByteView? {
        if file.isNamed(number, "Workbook") || file.isNamed(number, "Book") {
            var records = SheetRecords(content)
            guard records.isEncrypted else { return nil }
            if let obfuscation = records.obfuscation, let pad = try sheetPad(obfuscation) {
                var output = try Output(scan, in: object, expected: content.count)
                _ = try obfuscation.decrypt(content, pad, &records, into: &output)
                try close(&output, &child)
                return child.data
            }
            guard let info = records.encryption, let encryption = StreamEncryption(info),
                let key = try streamKey(encryption)
            else {
                found(EM_OBJECT_ENCRYPTED)
                return nil
            }
            var output = try Output(scan, in: object, expected: content.count)
            _ = try encryption.decrypt(content, key, blockSize: 1024, into: &output) { records.isPlain($0) }
            try close(&output, &child)
            return child.data
        }
        if file.isNamed(number, "PowerPoint Document") { return try decryptedPresentation(content, file, &child) }
        guard file.isNamed(number, "WordDocument"), content.load(UInt16.self, at: 0) == 0xa5ec,
            let flags = content.load(UInt16.self, at: 10), flags & 0x100 != 0
        else { return nil }
        // What is needed stands before the table that the flags name. With the other flag it is no encryption proper.
        let name: StaticString = flags & 0x200 != 0 ? "1Table" : "0Table"
        guard flags & 0x8000 == 0, let table = file.entries.indices.first(where: { file.isNamed($0, name) }) else {
            found(EM_OBJECT_ENCRYPTED)
            return nil
        }
        let info = file.stream(file.entries[table], limit: 4096)
        guard let encryption = info.withUnsafeBufferPointer({ StreamEncryption(ByteView($0)) }),
            let key = try streamKey(encryption)
        else {
            found(EM_OBJECT_ENCRYPTED)
            return nil
        }
        var output = try Output(scan, in: object, expected: content.count)
        _ = try encryption.decrypt(content, key, blockSize: 512, into: &output) { $0 < 68 }
        try close(&output, &child)
        return child.data
    }

    private func decryptedPresentation(
        _ content: ByteView, _ file: CompoundFile, _ child: inout Child
    ) throws(ModuleError) -> ByteView? {
        guard let place = file.entries.indices.first(where: { file.isNamed($0, "Current User") }) else { return nil }
        let user = file.stream(file.entries[place], limit: 64)
        guard let encrypted = user.withUnsafeBufferPointer({ PresentationEncryption(content, user: ByteView($0)) })
        else { return nil }
        guard let encryption = encrypted.encryption, let key = try streamKey(encryption) else {
            found(EM_OBJECT_ENCRYPTED)
            return nil
        }
        var output = try Output(scan, in: object, expected: content.count)
        _ = try encrypted.decrypt(key, into: &output)
        try close(&output, &child)
        return child.data
    }

    private func sheetPad(_ obfuscation: SheetObfuscation) throws(ModuleError) -> [UInt8]? {
        var work = mostRoundsOfObject
        for password in [OfficeEncryption.builtIn.array] + (try passwords(for: object, scan, as: "CL_TYPE_MSOLE2")) {
            guard try mayTry(1, scan, &work) else { return nil }
            guard let pad = obfuscation.pad(password) else { continue }
            noteFitting(password, object, scan)
            return pad
        }
        return nil
    }

    private func streamKey(_ encryption: StreamEncryption) throws(ModuleError) -> [UInt8]? {
        var work = mostRoundsOfObject
        for password in [OfficeEncryption.builtIn.array] + (try passwords(for: object, scan, as: "CL_TYPE_MSOLE2")) {
            guard try mayTry(1, scan, &work) else { return nil }
            guard let key = encryption.key(password) else { continue }
            noteFitting(password, object, scan)
            return key
        }
        return nil
    }

    /// The bytes of a stream, in the arena.
    private func streamContent(
        _ file: CompoundFile, _ number: Int, _ child: inout Child
    ) throws(ModuleError) -> ByteView {
        let entry = file.entries[number]
        var output = try Output(scan, in: object, expected: entry.size)
        var failure: ModuleError?
        file.read(entry) { piece in
            do throws(ModuleError) { return try output.append(piece) } catch {
                failure = error
                return false
            }
        }
        if let failure { throw failure }
        try close(&output, &child)
        if child.data.count < entry.size, child.flags == 0 {
            child.flags |= EM_OBJECT_TRUNCATED
            found(EM_OBJECT_MALFORMED)
        }
        return child.data
    }

    /// A file that was put into the document as it is.
    private func submitPackage(_ content: ByteView) throws(ModuleError) {
        guard let package = OLEPackage(content.dropFirst(4)) else { return }
        var child = Child()
        child.data = package.data
        if !package.isComplete { child.flags |= EM_OBJECT_TRUNCATED }
        try submit(child, name: package.name.array)
    }

    /// The source of a module of macros: it begins, compressed, with "Attribut".
    private func submitMacros(_ content: ByteView) throws(ModuleError) {
        guard let hit = content.firstIndex(of: ByteView("\0Attribut")), hit >= 3 else { return }
        var output = try Output(scan, in: object, expected: content.count)
        let source = decompressedMacros(content.dropFirst(hit - 3), limit: 4 << 20)
        var failure: ModuleError?
        source.withUnsafeBufferPointer { buffer in
            do throws(ModuleError) { _ = try output.append(ByteView(buffer)) } catch { failure = error }
        }
        if let failure { throw failure }
        var child = Child()
        child.type = EM_TYPE_SCRIPT
        try close(&output, &child)
        try submit(child, name: ByteView("macro.bas").array)
    }

    /// The properties that name an attachment of an Outlook message (MS-OXMSG): the long name, the short one, as UTF-16
    /// and in 8 bits.
    private static let attachmentNames: [StaticString] = [
        "__substg1.0_3707001F", "__substg1.0_3707001E", "__substg1.0_3704001F", "__substg1.0_3704001E",
    ]

    private func nextOfPresentation() throws(ModuleError) -> Bool {
        // Its stream is gone from the arena by now; it is read again from the file.
        guard let found = presentation, let file else { return false }
        presentation = nil
        guard let last = found.places.last else { return false }
        let stream = file.stream(file.entries[index - 1], limit: last.upperBound)
        var isAny = false
        var failure: ModuleError?
        stream.withUnsafeBufferPointer { buffer in
            do throws(ModuleError) { isAny = try submit(found, in: ByteView(buffer)) } catch { failure = error }
        }
        if let failure { throw failure }
        return isAny
    }

    /// Submits the objects of a presentation; false when there are none.
    private func submit(_ objects: PresentationObjects, in stream: ByteView) throws(ModuleError) -> Bool {
        var isAny = false
        for place in objects.places where place.upperBound <= stream.count {
            var child = Child()
            var output = try Output(scan, in: object)
            let result = try inflateZlib(stream.slice(place.lowerBound, place.upperBound), into: &output)
            if result.end != .complete { child.flags |= EM_OBJECT_TRUNCATED }
            try close(&output, &child)
            try submit(child, name: ByteView("object.ole").array)
            isAny = true
        }
        return isAny
    }

    /// The flags of a Hangul document (HWP 5.0): 1 the streams are deflated, 2 it has a password; nil when it is none.
    private func hangulFlags(_ file: CompoundFile) -> UInt32? {
        for number in file.entries.indices where file.isNamed(number, "FileHeader") {
            let header = file.stream(file.entries[number], limit: 40)
            return header.withUnsafeBufferPointer { buffer in
                let header = ByteView(buffer)
                return header.hasPrefix(ByteView("HWP Document File")) ? header.load(UInt32.self, at: 36) : nil
            }
        }
        return nil
    }

    /// What a stream of a Hangul document holds; nil when it is not deflated. An embedded object has its length before it.
    private func inflated(_ content: ByteView, _ child: inout Child) throws(ModuleError) -> ByteView? {
        var output = try Output(scan, in: object, expected: content.count)
        let end = try inflateRaw(content, into: &output).end
        guard output.count > 0, end != .damaged || output.count >= content.count else { return nil }
        if end == .truncated { child.flags |= EM_OBJECT_TRUNCATED }
        try close(&output, &child)
        return CompoundFile.isOne(child.data.dropFirst(4)) ? child.data.dropFirst(4) : child.data
    }

    /// What a stream is called: an attachment of a message has its file's name.
    private func streamName(_ file: CompoundFile, _ number: Int) -> [UInt8] {
        if file.isNamed(number, "__substg1.0_37010102") {
            for wanted: StaticString in Self.attachmentNames {
                for other in file.entries.indices
                where parents[other] == parents[number] && file.isNamed(other, wanted) {
                    let text = file.stream(file.entries[other], limit: 1024)
                    let charset =
                        ByteView(wanted).hasSuffixIgnoringCase(ByteView("F")) ? Charset.utf16LittleEndian : .utf8
                    return text.withUnsafeBufferPointer { charset.decode(ByteView($0)) }
                }
            }
        }
        // Control characters mark streams with a role.
        return file.asciiName(number).map { $0 < 0x20 ? 0x5f : $0 }
    }
}

/// The compressed objects in a presentation (MS-PPT 2.10.34, ExOleObjStgCompressedAtom): records in records.
struct PresentationObjects {
    private(set) var places: [Range<Int>] = []
    private static let most = 256

    init(_ stream: ByteView) {
        var position = 0
        while let version = stream.load(UInt16.self, at: position),
            let type = stream.load(UInt16.self, at: position + 2),
            let length = stream.load(UInt32.self, at: position + 4), places.count < Self.most
        {
            // ExOleObjStg; instance 1 is compressed, and four bytes of the unpacked size come first.
            if type == 0x1011, version >> 4 == 1, length > 4 {
                let end = min(stream.count, position + 8 + Int(length))
                if position + 12 < end { places.append((position + 12)..<end) }
            }
            // Containers are entered.
            position += version & 15 == 15 ? 8 : 8 + Int(length)
        }
    }
}
