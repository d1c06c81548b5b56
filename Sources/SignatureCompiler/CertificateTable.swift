import Bytes
import CModuleABI
import DataModule

/// Collects certificates and makes their sections.
struct CertificateTable {
    private var entries: [(line: CertificateLine, signature: UInt32)] = []

    mutating func add(_ line: CertificateLine, signature: UInt32) {
        entries.append((line, signature))
    }

    func finish() -> [DatabaseSection] {
        guard !entries.isEmpty else { return [] }
        let order = entries.indices.sorted { a, b in
            let (first, second) = (entries[a].line, entries[b].line)
            let left = first.subject + first.keyDigest
            let right = second.subject + second.keyDigest
            return left == right ? a < b : left.lexicographicallyPrecedes(right)
        }
        var bytes: [UInt8] = []
        var keys: [UInt8] = []
        for index in order {
            let (line, signature) = entries[index]
            bytes += line.subject + line.serial + line.keyDigest
            var rest = em_certificate()
            rest.signature = signature
            rest.flags = line.flags
            rest.not_before = line.notBefore
            rest.key = UInt64(keys.count)
            rest.key_length = UInt32(line.key.count)
            // The digests, which C arrays make awkward to set, come first.
            bytes += RawStruct.bytes(rest).dropFirst(20 + 20 + 32)
            keys += line.key
        }
        return [
            DatabaseSection(
                EM_SECTION_CERTIFICATES, version: EM_SECTION_VERSION, count: entries.count, [.init(bytes)]),
            DatabaseSection(EM_SECTION_CERTIFICATE_KEYS, version: EM_SECTION_VERSION, count: keys.count, [.init(keys)]),
        ]
    }
}
