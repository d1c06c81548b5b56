import Glibc
import ScanProtocol

/// What an `esets_verdict *` points to: the verdict, and its texts as C strings.
final class VerdictHandle {
    struct Texts {
        let name: UnsafeMutablePointer<CChar>?
        let source: UnsafeMutablePointer<CChar>?
        let object: UnsafeMutablePointer<CChar>?
    }

    let verdict: ScanVerdict
    let texts: [Texts]

    init(_ verdict: ScanVerdict) {
        self.verdict = verdict
        let objects = Dictionary(verdict.objects.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        texts = verdict.findings.map { finding in
            Texts(
                name: strdup(finding.name), source: strdup(finding.source),
                object: strdup(VerdictHandle.path(finding.object, objects)))
        }
    }

    deinit {
        for text in texts {
            free(text.name)
            free(text.source)
            free(text.object)
        }
    }

    /// "a.zip/b.exe" for a part; "" for the root.
    private static func path(_ id: UInt64, _ objects: [UInt64: ObjectInfo]) -> String {
        var names: [String] = []
        var next = id
        // The daemon's word is not taken for it that the tree has no loop.
        while let object = objects[next], object.parent != 0, names.count < 256 {
            names.append(object.name.isEmpty ? object.format : object.name)
            next = object.parent
        }
        return names.reversed().joined(separator: "/")
    }

    static func from(_ pointer: OpaquePointer?) -> VerdictHandle? {
        pointer.map { Unmanaged<VerdictHandle>.fromOpaque(UnsafeRawPointer($0)).takeUnretainedValue() }
    }
}
