import BytesE
import CModuleABI
import ModuleKit
package import Unpacking

/// Calls `body` for each format beside MIME itself in which mail carries files.
package func mailFormatExtractors(_ body: (Extractor) -> Void) {
    body(TNEFUnpacker.extractor)
    body(MailboxUnpacker.extractor)
    body(SignedMailUnpacker.extractor)
    body(AppleUnpacker.extractor)
    body(BinHexUnpacker.extractor)
    body(YEncUnpacker.extractor)
    body(CardUnpacker.extractor)
}

/// The place behind the line that begins at or covers `position`.
func lineEnd(_ data: ByteView, from position: Int) -> Int {
    guard let feed = data.firstIndex(of: 0x0a, from: position) else { return data.count }
    return feed + 1
}

extension Unpacker {
    /// The first place at or after `start` where a line begins with `words`; asks the budget on the way.
    func lineStart(of words: ByteView, from start: Int) throws(ModuleError) -> Int? {
        var position = start
        while position < data.count {
            try scan.check()
            let window = data.prefix(position + 65536 + words.count)
            guard let hit = window.firstIndex(of: words, from: position) else {
                position += 65536
                continue
            }
            if hit == 0 || data[hit - 1] == 0x0a || data[hit - 1] == 0x0d { return hit }
            position = hit + 1
        }
        return nil
    }
}
