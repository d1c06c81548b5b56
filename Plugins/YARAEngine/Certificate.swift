import BytesE

/// A certificate of a signer (RFC 5280), as far as rules ask about it.
struct Certificate {
    /// The whole certificate.
    let bytes: ByteView
    /// From 1.
    let version: Int64
    /// Content of the serial number.
    let serial: ByteView
    let algorithm: ByteView
    let issuer: ByteView
    let subject: ByteView
    /// Seconds since 1970.
    let notBefore: Int64
    let notAfter: Int64

    /// Signatures of one file that are looked at, nested ones included.
    private static let signerLimit = 16
    private static let certificateLimit = 64

    /// The certificates of the signers of PKCS #7 signed data (RFC 2315), in the order of the signers, nested
    /// signatures (Microsoft's attribute 1.3.6.1.4.1.311.2.4.1) after the one that they are in.
    static func signers(of content: ByteView) -> [Certificate] {
        var result: [Certificate] = []
        collect(content, depth: 0, &result)
        return result
    }

    private static func collect(_ content: ByteView, depth: Int, _ result: inout [Certificate]) {
        guard depth < 4, let info = DER.first(content, 0x30) else { return }
        var parts = DER(info)
        // contentType signedData: 1.2.840.113549.1.7.2
        guard let type = parts.next(0x06), type.count == 9, type[8] == 2,
            let outer = parts.next(0xa0), let data = DER.first(outer, 0x30)
        else { return }
        var fields = DER(data)
        guard fields.next(0x02) != nil, fields.next(0x31) != nil, fields.next(0x30) != nil else { return }
        var certificates: [Certificate] = []
        if let set = fields.next(0xa0) {
            var list = DER(set)
            while certificates.count < certificateLimit, let element = list.read() {
                if element.tag == 0x30, let certificate = Certificate(element.whole, element.content) {
                    certificates.append(certificate)
                }
            }
        }
        _ = fields.next(0xa1)
        guard let signers = fields.next(0x31) else { return }
        var list = DER(signers)
        while result.count < signerLimit, let signer = list.next(0x30) {
            var parts = DER(signer)
            guard parts.next(0x02) != nil, let name = parts.next(0x30) else { return }
            var identity = DER(name)
            guard let issuer = identity.readWhole(0x30), let serial = identity.next(0x02) else { return }
            for certificate in certificates where certificate.issuer.equals(issuer) && certificate.serial.equals(serial)
            {
                result.append(certificate)
                break
            }
            // digest algorithm, signed attributes, algorithm, signature, then the unsigned attributes.
            _ = parts.next(0x30)
            _ = parts.next(0xa0)
            _ = parts.next(0x30)
            _ = parts.next(0x04)
            guard let unsigned = parts.next(0xa1) else { continue }
            var attributes = DER(unsigned)
            while result.count < signerLimit, let attribute = attributes.next(0x30) {
                var pair = DER(attribute)
                guard let type = pair.next(0x06), type.equals(nestedSignature), let values = pair.next(0x31) else {
                    continue
                }
                var nested = DER(values)
                while result.count < signerLimit, let value = nested.readWhole(0x30) {
                    collect(value, depth: depth + 1, &result)
                }
            }
        }
    }

    /// 1.3.6.1.4.1.311.2.4.1
    private static let nestedSignature: [UInt8] = [0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x04, 0x01]

    private init?(_ whole: ByteView, _ content: ByteView) {
        var outer = DER(content)
        guard let body = outer.next(0x30) else { return nil }
        var fields = DER(body)
        var version: Int64 = 1
        if let explicit = fields.next(0xa0), let number = DER.first(explicit, 0x02), number.count == 1 {
            version = Int64(number[0]) + 1
        }
        guard let serial = fields.next(0x02), let algorithm = fields.next(0x30),
            let issuer = fields.readWhole(0x30), let validity = fields.next(0x30),
            let subject = fields.readWhole(0x30), let identifier = DER.first(algorithm, 0x06)
        else { return nil }
        var times = DER(validity)
        guard let first = times.read(), let last = times.read() else { return nil }
        bytes = whole
        self.version = version
        self.serial = serial
        self.algorithm = identifier
        self.issuer = issuer
        self.subject = subject
        notBefore = first.time
        notAfter = last.time
    }

    // MARK: - Texts

    /// "01:ab:…"
    var serialText: [UInt8] {
        var text: [UInt8] = []
        for index in 0..<min(serial.count, 256) {
            if index > 0 { text.append(UInt8(ascii: ":")) }
            appendHex(serial[index], &text)
        }
        return text
    }

    /// "/C=US/O=…", as OpenSSL's X509_NAME_oneline writes it.
    static func line(_ name: ByteView) -> [UInt8] {
        var text: [UInt8] = []
        guard let sequence = DER.first(name, 0x30) else { return text }
        var sets = DER(sequence)
        while text.count < 8192, let set = sets.next(0x31) {
            var pairs = DER(set)
            while let pair = pairs.next(0x30) {
                var parts = DER(pair)
                guard let type = parts.next(0x06), let value = parts.read() else { continue }
                text.append(UInt8(ascii: "/"))
                append(type, to: &text)
                text.append(UInt8(ascii: "="))
                for byte in value.content.buffer {
                    if byte >= 0x20, byte <= 0x7e {
                        if byte == UInt8(ascii: "/") || byte == UInt8(ascii: "+") { text.append(UInt8(ascii: "\\")) }
                        text.append(byte)
                    } else {
                        text.append(UInt8(ascii: "\\"))
                        text.append(UInt8(ascii: "x"))
                        let digits = ByteView("0123456789ABCDEF")
                        text.append(digits[Int(byte >> 4)])
                        text.append(digits[Int(byte & 15)])
                    }
                }
            }
        }
        return text
    }

    private static func append(_ type: ByteView, to text: inout [UInt8]) {
        if let name = shortName(type) {
            for byte in ByteView(name).buffer { text.append(byte) }
        } else {
            text += dotted(type)
        }
    }

    private static func shortName(_ type: ByteView) -> StaticString? {
        if type.count == 3, type[0] == 0x55, type[1] == 0x04 {
            switch type[2] {
            case 3: return "CN"
            case 4: return "SN"
            case 5: return "serialNumber"
            case 6: return "C"
            case 7: return "L"
            case 8: return "ST"
            case 9: return "street"
            case 10: return "O"
            case 11: return "OU"
            case 12: return "title"
            case 13: return "description"
            case 15: return "businessCategory"
            case 16: return "postalAddress"
            case 17: return "postalCode"
            case 18: return "postOfficeBox"
            case 20: return "telephoneNumber"
            case 41: return "name"
            case 42: return "GN"
            case 43: return "initials"
            case 46: return "dnQualifier"
            case 97: return "organizationIdentifier"
            default: return nil
            }
        }
        if type.equals([0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01]) { return "emailAddress" }
        let jurisdiction: [UInt8] = [0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x3c, 0x02, 0x01]
        if type.count == 11, type.prefix(10).equals(jurisdiction) {
            switch type[10] {
            case 1: return "jurisdictionL"
            case 2: return "jurisdictionST"
            case 3: return "jurisdictionC"
            default: return nil
            }
        }
        let pilot: [UInt8] = [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01]
        if type.count == 10, type.prefix(9).equals(pilot) {
            return type[9] == 25 ? "DC" : type[9] == 1 ? "UID" : nil
        }
        return nil
    }

    /// "sha256WithRSAEncryption", by the names of the standards; others in dots.
    static func algorithmName(_ identifier: ByteView) -> [UInt8] {
        let rsa: [UInt8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01]
        let ecdsa: [UInt8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03]
        var name: StaticString?
        if identifier.count == 9, identifier.prefix(8).equals(rsa) {
            switch identifier[8] {
            case 1: name = "rsaEncryption"
            case 4: name = "md5WithRSAEncryption"
            case 5: name = "sha1WithRSAEncryption"
            case 10: name = "rsassaPss"
            case 11: name = "sha256WithRSAEncryption"
            case 12: name = "sha384WithRSAEncryption"
            case 13: name = "sha512WithRSAEncryption"
            default: break
            }
        } else if identifier.count == 8, identifier.prefix(7).equals(ecdsa) {
            switch identifier[7] {
            case 2: name = "ecdsa-with-SHA256"
            case 3: name = "ecdsa-with-SHA384"
            case 4: name = "ecdsa-with-SHA512"
            default: break
            }
        }
        return name.map { ByteView($0).array } ?? dotted(identifier)
    }

    /// "1.2.840.…"
    static func dotted(_ identifier: ByteView) -> [UInt8] {
        var text: [UInt8] = []
        var value: UInt64 = 0
        var isFirst = true
        for byte in identifier.prefix(64).buffer {
            value = (value & (UInt64.max >> 7)) << 7 | UInt64(byte & 0x7f)
            guard byte & 0x80 == 0 else { continue }
            if isFirst {
                let first = min(value / 40, 2)
                appendDecimal(Int64(first), &text)
                text.append(UInt8(ascii: "."))
                appendDecimal(Int64(clamping: value - first * 40), &text)
                isFirst = false
            } else {
                text.append(UInt8(ascii: "."))
                appendDecimal(Int64(clamping: value), &text)
            }
            value = 0
        }
        return text
    }
}

/// Walks over elements of DER (X.690), definite lengths only.
struct DER {
    struct Element {
        let tag: UInt8
        let content: ByteView
        /// With its tag and length.
        let whole: ByteView
    }

    private var rest: ByteView

    init(_ bytes: ByteView) {
        rest = bytes
    }

    /// The content of the first element if it has that tag.
    static func first(_ bytes: ByteView, _ tag: UInt8) -> ByteView? {
        var walk = DER(bytes)
        return walk.next(tag)
    }

    /// The next element; nil at the end, and for what is broken.
    mutating func read() -> Element? {
        guard rest.count >= 2 else { return nil }
        let tag = rest[0]
        var length = Int(rest[1])
        var head = 2
        if length >= 0x80 {
            let count = length & 0x7f
            guard count >= 1, count <= 4, rest.count >= 2 + count else { return nil }
            length = 0
            for index in 0..<count { length = length << 8 | Int(rest[2 + index]) }
            head += count
        }
        guard length <= rest.count - head else { return nil }
        defer { rest = rest.dropFirst(head + length) }
        return Element(tag: tag, content: rest.slice(head, head + length), whole: rest.prefix(head + length))
    }

    /// The content of the next element if it has that tag; otherwise nothing is read.
    mutating func next(_ tag: UInt8) -> ByteView? {
        var copy = self
        guard let element = copy.read(), element.tag == tag else { return nil }
        self = copy
        return element.content
    }

    /// The same with tag and length.
    mutating func readWhole(_ tag: UInt8) -> ByteView? {
        var copy = self
        guard let element = copy.read(), element.tag == tag else { return nil }
        self = copy
        return element.whole
    }
}

extension DER.Element {
    /// UTCTime or GeneralizedTime in seconds since 1970; 0 when it is neither.
    var time: Int64 {
        var digits: [Int64] = []
        for byte in content.prefix(32).buffer {
            guard byte &- 0x30 < 10 else { break }
            digits.append(Int64(byte &- 0x30))
        }
        let yearDigits = tag == 0x18 ? 4 : 2
        guard digits.count >= yearDigits + 8 else { return 0 }
        func pair(_ index: Int) -> Int64 { digits[index] * 10 + digits[index + 1] }
        var year = pair(0)
        if yearDigits == 4 { year = year * 100 + pair(2) } else { year += year < 50 ? 2000 : 1900 }
        let month = pair(yearDigits)
        let second = digits.count >= yearDigits + 10 ? pair(yearDigits + 8) : 0
        guard (1...12).contains(month) else { return 0 }
        // Days since 1970 of the civil calendar, with years that begin in March.
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + pair(yearDigits + 2) - 1
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        return days * 86_400 + pair(yearDigits + 4) * 3600 + pair(yearDigits + 6) * 60 + second
    }
}

extension ByteView {
    func equals(_ bytes: [UInt8]) -> Bool {
        guard count == bytes.count else { return false }
        for index in 0..<count where self[index] != bytes[index] { return false }
        return true
    }
}

func appendHex(_ byte: UInt8, _ text: inout [UInt8]) {
    let digits = ByteView("0123456789abcdef")
    text.append(digits[Int(byte >> 4)])
    text.append(digits[Int(byte & 15)])
}

func appendDecimal(_ value: Int64, _ text: inout [UInt8]) {
    var digits: [UInt8] = []
    var rest = value.magnitude
    repeat {
        digits.append(0x30 + UInt8(rest % 10))
        rest /= 10
    } while rest > 0
    if value < 0 { text.append(UInt8(ascii: "-")) }
    text += digits.reversed()
}
