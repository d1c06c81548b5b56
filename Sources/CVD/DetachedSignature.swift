package import Bytes
import CSignedData

/// Certificates of those who may sign containers, usually the files of one folder.
package final class CertificateStore {
    private let store: OpaquePointer
    /// How many it holds.
    package private(set) var count = 0

    /// An empty one; nil when there is no memory.
    package init?() {
        guard let store = CSignedData_store_new() else { return nil }
        self.store = store
    }

    /// Adds the certificates of a PEM file.
    package func add(pem: [UInt8]) throws(CVDError) {
        let added = CSignedData_store_add(store, pem, pem.count)
        guard added > 0 else { throw CVDError(.signature, "the file holds no certificate that can be read") }
        count += Int(added)
    }

    deinit {
        CSignedData_store_free(store)
    }

    fileprivate func verify(_ signature: [UInt8], over bytes: ByteView) -> (result: Int32, text: String) {
        var text = [CChar](repeating: 0, count: 256)
        let result = CSignedData_cms_verify(
            store, signature, signature.count, bytes.base, bytes.count, &text, text.count)
        return (result, String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
}

/// A `.cvd.sign` file: `#clamsign-1.0`, then lines `lowest level:highest level:pkcs7-pem:base64`.
package struct DetachedSignature {
    private let text: ByteView

    /// - Parameter text: the file's content; must stay valid as long as this.
    package init(_ text: ByteView) {
        self.text = text
    }

    /// Checks it over the whole file that it belongs to.
    ///
    /// - Parameter level: the engine's functionality level: lines for others are passed over.
    /// - Returns: the signer's common name.
    /// - Throws: when no line is a right signature by somebody whom the store trusts.
    package func verify(_ bytes: ByteView, by store: CertificateStore, level: UInt64) throws(CVDError) -> String {
        var start = 0
        var isFirst = true
        var reason = "there is no signature for this engine in it"
        while start < text.count {
            let end = text.firstIndex(of: 0x0a, from: start) ?? text.count
            let line = text.slice(start, end).trimmed
            start = end + 1
            if isFirst {
                guard line.equals(ByteView("#clamsign-1.0")) else {
                    throw CVDError(.signature, "the detached signature does not begin with \"#clamsign-1.0\"")
                }
                isFirst = false
                continue
            }
            guard !line.isEmpty, line[0] != UInt8(ascii: "#") else { continue }
            guard let signature = Self.signature(line, level: level) else { continue }
            let (result, text) = store.verify(signature, over: bytes)
            if result == 1 { return text }
            reason = text
            // A signature that is there and wrong is worse than none.
            if result == 0 { break }
        }
        throw CVDError(.signature, "the detached signature is not right: \(reason)")
    }

    /// The bytes of a line's signature, nil when the line is for other engines or of another kind.
    private static func signature(_ line: ByteView, level: UInt64) -> [UInt8]? {
        guard let first = line.firstIndex(of: UInt8(ascii: ":")),
            let second = line.firstIndex(of: UInt8(ascii: ":"), from: first + 1),
            let third = line.firstIndex(of: UInt8(ascii: ":"), from: second + 1),
            line.slice(second + 1, third).equals(ByteView("pkcs7-pem")),
            let lowest = Decimal.value(line.prefix(first)), lowest <= level
        else { return nil }
        let highest = line.slice(first + 1, second)
        if !highest.isEmpty {
            guard let highest = Decimal.value(highest), highest >= level else { return nil }
        }
        return Base64.decode(line.dropFirst(third + 1))
    }
}

/// RFC 4648, section 4.
enum Base64 {
    static func decode(_ text: ByteView) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(text.count / 4 * 3)
        var bits: UInt32 = 0
        var count = 0
        var isPadded = false
        for character in text.buffer {
            if character == UInt8(ascii: "=") {
                isPadded = true
                continue
            }
            guard !isPadded, let value = value(character) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 1
            if count == 4 {
                result += [UInt8(bits >> 16 & 0xff), UInt8(bits >> 8 & 0xff), UInt8(bits & 0xff)]
                bits = 0
                count = 0
            }
        }
        switch count {
        case 0: break
        case 2: result.append(UInt8(bits >> 4 & 0xff))
        case 3: result += [UInt8(bits >> 10 & 0xff), UInt8(bits >> 2 & 0xff)]
        default: return nil
        }
        return result
    }

    private static func value(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
