import CElf
import CModuleABI

#if MODULE_WORLD
    package import BytesE
#else
    package import Bytes
#endif

/// The two notes of a module (em_module.h, "notes in the file"), found through PT_NOTE.
package struct Notes {
    /// `key=value` lines.
    package let manifest: Manifest
    /// Where the 72 bytes of the signature note lie in the file.
    package let signatureOffset: Int
    package let signature: ByteView

    package init(_ image: Image) throws(Refusal) {
        var manifest: ByteView?
        var signatureOffset: Int?
        for segment in image.segments where segment.type == UInt32(PT_NOTE) {
            let start = Int(segment.offset)
            var offset = start
            let end = start + Int(segment.fileSize)
            while offset + 12 <= end {
                guard let nameSize = image.bytes.load(UInt32.self, at: offset),
                    let size = image.bytes.load(UInt32.self, at: offset + 4),
                    let type = image.bytes.load(UInt32.self, at: offset + 8)
                else { break }
                let name = offset + 12
                let content = name + (Int(nameSize) + 3) & ~3
                let next = content + (Int(size) + 3) & ~3
                guard next <= end else { break }
                // The owner's name ends with a NUL.
                if image.bytes.slice(name, name + Int(nameSize)).equals(ByteView("ESETS\0")) {
                    if type == EM_NOTE_MANIFEST {
                        guard manifest == nil else { throw Refusal("manifest", "more than one manifest note") }
                        manifest = image.bytes.slice(content, content + Int(size))
                    } else if type == EM_NOTE_SIGNATURE {
                        guard signatureOffset == nil, size == EM_SIGNATURE_SIZE else {
                            throw Refusal("signature", "the signature note is malformed")
                        }
                        signatureOffset = content
                    }
                }
                offset = next
            }
        }
        guard let manifest else { throw Refusal("manifest", "no manifest note: not a module of esets") }
        guard let signatureOffset else { throw Refusal("signature", "no signature note") }
        self.manifest = try Manifest(manifest)
        self.signatureOffset = signatureOffset
        signature = image.bytes.slice(signatureOffset, signatureOffset + Int(EM_SIGNATURE_SIZE))
    }

    /// Whether somebody signed it.
    package var isSigned: Bool {
        for index in 0..<signature.count where signature[index] != 0 { return true }
        return false
    }
}
