#if MODULE_WORLD
    package import BytesE
#else
    package import Bytes
#endif
/// The one verifier of modules: compiled into the host, which checks em000 with it, and into em000,
/// which checks all the others.
package enum Verifier {
    /// What was verified.
    package struct Verified {
        package let notes: Notes
        package let image: Image

        package var manifest: Manifest { notes.manifest }
        /// The content of a data module.
        package let data: ByteView?
    }

    /// Checks a module.
    ///
    /// - Parameters:
    ///   - file: the whole file; results point into it.
    ///   - keys: public keys that may sign code, 32 bytes each. Data needs no signature of its own: the
    ///     manifest of its generation vouches for it.
    ///   - thorough: verify the signature of code too. Without it only the structure is checked, for files that
    ///     were verified before and could not change since.
    package static func verify(_ file: ByteView, keys: ByteView, thorough: Bool) throws(Refusal) -> Verified {
        let image = try Image(file)
        let notes = try Notes(image)
        switch notes.manifest.kind {
        case .data:
            try DataRules.check(image)
            return Verified(notes: notes, image: image, data: try DataRules.data(image))
        case .code:
            try CodeRules.check(image)
            if thorough { try Signature.verify(notes, file: file, keys: keys) }
            return Verified(notes: notes, image: image, data: nil)
        }
    }
}
