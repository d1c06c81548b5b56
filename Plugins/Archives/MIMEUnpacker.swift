import BytesE
import CModuleABI
import MIMEE
import ModuleKit
import Unpacking

/// The parts of a message, by every plausible reading.
///
/// The default reading comes first. Then, where the message is ambiguous, each other reading is walked, and what none
/// of those before had is offered too. At last, where a NUL hides the structure from us, the message without NULs.
final class MIMEUnpacker: Unpacker {
    private var walker: MIMEWalker
    /// What was offered so far.
    private var offered = PartSet()
    private var readings = MIMEReadings()
    private(set) var isDefaultReading = true
    /// Attachments that are called like volumes of an archive, and those of one archive that are still to be offered, with
    /// whether the archive itself is an object.
    var volumes: [Volume] = []
    var held: [(part: MIMEPart, isOpened: Bool)] = []
    private var isHiddenByNUL = false
    /// What was walked over so far, in bytes.
    private var work = 0
    private var walked = 0
    private var readingCount = 0

    /// A part costs as much as so many bytes.
    private static var workOfPart: Int { 512 }
    /// Beyond this much work only the first few other readings are tried. Messages lie in messages, and each may be
    /// ambiguous in turn: the deeper, the less, so that all of them together end in time, too.
    private var mostWork: Int { (256 << 20) >> Int(min(24, 3 * object.pointee.depth)) }
    private static var fewest: Int { 3 }
    private var failure: ModuleError?

    init(_ scan: ScanContext, _ object: UnsafePointer<em_object>) {
        walker = MIMEWalker(ByteView(object.pointee.data))
        super.init(scan, object, format: "MIME")
        scan.notes?.enter(data)
    }

    deinit { scan.notes?.leave() }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        if try offerHeld() { return true }
        while true {
            try scan.check()
            guard let part = walker.next(check: check) else {
                if let failure { throw failure }
                if walker.isCancelled { throw .cancelled }
                if try offerVolumes() { return true }
                if nextReading() { continue }
                return try offerWithoutNULs()
            }
            walked += 1
            if try offer(part) { return true }
        }
    }

    private func check() -> Bool {
        do throws(ModuleError) {
            try scan.check()
            return true
        } catch {
            failure = error
            return false
        }
    }

    /// Begins the next reading; false when there are no more.
    private func nextReading() -> Bool {
        if isDefaultReading { tellDefects() }
        isDefaultReading = false
        if walker.ambiguities.hiddenByNUL { isHiddenByNUL = true }
        work += data.count + walked * Self.workOfPart
        walked = 0
        guard let reading = readings.next(after: walker.ambiguities) else {
            if readings.isCut { found(EM_OBJECT_OVER_LIMIT) }
            return false
        }
        readingCount += 1
        guard readingCount <= Self.fewest || work < mostWork else {
            found(EM_OBJECT_OVER_LIMIT)
            return false
        }
        walker = MIMEWalker(data, reading: reading)
        return true
    }

    /// Some programs drop NULs wherever they stand. Once only: what is offered holds none.
    private func offerWithoutNULs() throws(ModuleError) -> Bool {
        guard isHiddenByNUL else { return false }
        isHiddenByNUL = false
        let copy = try scan.allocate(data.count).assumingMemoryBound(to: UInt8.self)
        var count = 0
        var position = 0
        while position < data.count {
            try scan.check()
            let end = min(position + 65_536, data.count)
            for byte in data.slice(position, end).buffer where byte != 0 {
                copy[count] = byte
                count += 1
            }
            position = end
        }
        var child = Child()
        child.data = ByteView(base: UnsafePointer(copy), count: count)
        child.type = EM_TYPE_MAIL
        try submit(child, name: [])
        return true
    }

    private func tellDefects() {
        let defects = walker.defects
        if defects.contains(.tooDeep) { overLimit(EM_BUDGET_DEPTH) }
        if defects.contains(.headerTooLong) { found(EM_OBJECT_OVER_LIMIT) }
        if defects.contains(.missingFinalBoundary) { found(EM_OBJECT_TRUNCATED) }
        if !defects.isDisjoint(with: [.missingBlankLine, .missingBoundary, .duplicateHeader, .junkInHeader]) {
            found(EM_OBJECT_MALFORMED)
        }
    }

    /// Submits a part if it holds something; whether it did.
    private func offer(_ part: MIMEPart) throws(ModuleError) -> Bool {
        switch part.kind {
        case .multipart: return false
        case .preamble, .epilogue:
            // Nobody shows them, except the files in them.
            guard holdsFile(part.body) else {
                if let failure { throw failure }
                return false
            }
        case .multipartEnd:
            // RFC 2045 §6.4 forbids to encode a multipart; some clients decode it all the same.
            guard part.encoding != .identity || !part.otherEncodings.isEmpty else { return false }
        case .leaf:
            // An empty part hides nothing, and many of them would use up the limit.
            guard !part.body.isEmpty || !part.names.isEmpty else { return false }
            tellElsewhere(part)
            if hold(part) { return false }
        }
        var isNew = false
        if part.kind != .multipartEnd || part.encoding != .identity { isNew = try submit(part, part.encoding) }
        for encoding in part.otherEncodings where part.kind != .multipartEnd || encoding != .identity {
            if try submit(part, encoding) { isNew = true }
        }
        return isNew
    }

    /// A fragment (RFC 2046 5.2.2) was scanned without the rest, of which no signature may fit a piece: other messages
    /// have it. What an external body (5.2.3) refers to is not in the mail at all.
    private func tellElsewhere(_ part: MIMEPart) {
        guard isDefaultReading else { return }
        if part.isType("message/partial") {
            found(EM_OBJECT_TRUNCATED)
            scan.report(
                EM_FINDING_NOTSCANNED, object: object.pointee.id,
                name: ByteView("message/partial: the rest is in other messages"))
        } else if part.isType("message/external-body") {
            scan.report(
                EM_FINDING_NOTE, object: object.pointee.id,
                name: ByteView("message/external-body: the content is elsewhere"))
        }
    }

    private func holdsFile(_ range: Range<Int>) -> Bool {
        var blocks = UUBlocks(data, in: range)
        return blocks.next(check: check) != nil
    }

    /// Whether it was not offered before.
    ///
    /// - Parameter isOpenedElsewhere: its content is another object, so that nobody needs to open it.
    func submit(
        _ part: MIMEPart, _ encoding: TransferEncoding, isOpenedElsewhere: Bool = false
    ) throws(ModuleError) -> Bool {
        // Of another reading the whole message again: it would be read again, and again offer itself.
        guard isDefaultReading || encoding != .identity || part.body.count < data.count else { return false }
        guard offered.insert(part.body, encoding, isMessage: part.isMessage) else { return false }
        let input = data.slice(part.body.lowerBound, part.body.upperBound)
        guard encoding != .identity else {
            var child = child(part)
            child.data = input
            child.flags = EM_OBJECT_IN_PLACE
            try submit(child, name: part.names.first ?? [], declared: part.mediaType)
            if isOpenedElsewhere, isVolume(input) { scan.notes?.opened.append(newest) }
            return true
        }
        let decoded = try submit(part, input, encoding)
        if isOpenedElsewhere, isVolume(decoded) { scan.notes?.opened.append(newest) }
        if encoding == .base64, let plain = try withoutInnerPadding(input) { _ = try submit(part, plain, encoding) }
        return true
    }

    private func child(_ part: MIMEPart) -> Child {
        var child = Child()
        child.offset = UInt64(part.body.lowerBound)
        child.extent = UInt64(part.body.count)
        child.type = part.isMessage ? EM_TYPE_MAIL : EM_TYPE_UNKNOWN
        return child
    }

    private func submit(
        _ part: MIMEPart, _ input: ByteView, _ encoding: TransferEncoding
    ) throws(ModuleError) -> ByteView {
        var child = child(part)
        var output = try Output(scan, in: object, expected: input.count)
        var decoder = TransferDecoder(encoding)
        var position = 0
        while position < input.count, let room = try output.room() {
            output.advance(decoder.decode(input, from: &position, into: room))
        }
        if decoder.foundJunk { child.flags |= EM_OBJECT_MALFORMED }
        try close(&output, &child)
        try submit(child, name: part.names.first ?? [], declared: part.mediaType)
        return child.data
    }

    /// Base64 with padding in the middle: some readers begin anew behind it, as our decoder does, others pass over it as
    /// over any byte outside the alphabet. The text without padding; nil when nothing stands behind the first.
    private func withoutInnerPadding(_ input: ByteView) throws(ModuleError) -> ByteView? {
        guard let padding = input.firstIndex(of: 0x3D) else { return nil }
        var last = input.count
        while last > padding, input[last - 1] <= 0x20 || input[last - 1] == 0x3D { last -= 1 }
        guard last > padding else { return nil }
        try scan.check()
        let copy = try scan.allocate(input.count).assumingMemoryBound(to: UInt8.self)
        var count = 0
        for byte in input.prefix(last).buffer where byte != 0x3D {
            copy[count] = byte
            count += 1
        }
        return ByteView(base: UnsafePointer(copy), count: count)
    }
}
