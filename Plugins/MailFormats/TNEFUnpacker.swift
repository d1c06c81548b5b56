import BytesE
import CModuleABI
import ModuleKit
import Unpacking

/// TNEF (MS-OXTNEF): what Outlook puts into winmail.dat. Attachments, embedded messages, and the message's own text.
final class TNEFUnpacker: Unpacker {
    private var position = 6
    /// The attachment under way: its name comes before or after its data.
    private var name: [UInt8] = []
    private var waiting: Child?
    private var properties: MAPIProperties?
    private var propertiesStart = 0

    private static let signature: UInt32 = 0x223e_9f78
    private static let attachmentBegins: UInt32 = 0x0006_9002
    private static let attachmentTitle: UInt32 = 0x0001_8010
    private static let attachmentData: UInt32 = 0x0006_800f
    private static let attachmentProperties: UInt32 = 0x0006_9005
    private static let messageProperties: UInt32 = 0x0006_9003
    private static let body: UInt32 = 0x0002_800c

    static var extractor: Extractor {
        Extractor(
            "TNEF", option: "av_scan_obj_emails",
            identify: { candidate in
                candidate.data.load(UInt32.self, at: 0) == signature ? .magic(EM_TYPE_ARCHIVE) : nil
            },
            open: { scan, object, _ throws(ModuleError) in TNEFUnpacker(scan, object, format: "TNEF") })
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        while true {
            try scan.check()
            if let done = try nextProperty() {
                if done { return true }
                continue
            }
            guard let identity = data.load(UInt32.self, at: position + 1),
                let length = data.load(UInt32.self, at: position + 5)
            else {
                if position < data.count { found(EM_OBJECT_TRUNCATED) }
                return try submitWaiting()
            }
            let start = position + 9
            let value = data.slice(start, start + Int(length))
            position = start + Int(length) + 2
            if value.count < Int(length) { found(EM_OBJECT_TRUNCATED) }
            switch identity {
            case Self.attachmentBegins:
                let submitted = try submitWaiting()
                name = []
                if submitted { return true }
            case Self.attachmentTitle:
                if name.isEmpty { name = text(value) }
            case Self.attachmentData: waiting = part(start..<(start + value.count))
            case Self.body:
                try submit(part(start..<(start + value.count)))
                return true
            case Self.attachmentProperties, Self.messageProperties:
                properties = MAPIProperties(value)
                propertiesStart = start
            default: break
            }
        }
    }

    /// Goes on with a list of properties; nil when none is under way, true when something was submitted.
    private func nextProperty() throws(ModuleError) -> Bool? {
        guard properties != nil else { return nil }
        guard let property = properties?.next() else {
            properties = nil
            return nil
        }
        let place = propertiesStart + property.offset
        switch property.id {
        case MAPIProperties.attachLongName where !property.value.isEmpty:
            name = property.isWide ? MAPIProperties.narrow(property.value) : text(property.value)
        case MAPIProperties.attachData:
            // An object begins with the identifier of its interface.
            let skip = property.isObject ? 16 : 0
            try submit(part((place + skip)..<max(place + skip, place + property.value.count)), name: name)
            return true
        case MAPIProperties.html, MAPIProperties.plainBody:
            try submit(part(place..<(place + property.value.count)))
            return true
        case MAPIProperties.compressedRTF:
            var output = try Output(scan, in: object)
            try expandCompressedRTF(property.value, into: &output)
            var child = Child()
            child.offset = UInt64(place)
            child.extent = UInt64(property.value.count)
            try close(&output, &child)
            try submit(child)
            return true
        default: break
        }
        return false
    }

    private func submitWaiting() throws(ModuleError) -> Bool {
        guard let child = waiting else { return false }
        waiting = nil
        try submit(child, name: name)
        return true
    }

    /// Text up to its terminator.
    private func text(_ value: ByteView) -> [UInt8] {
        value.prefix(min(1024, value.firstIndex(of: 0) ?? value.count)).array
    }
}
