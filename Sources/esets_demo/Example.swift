/// A message that shows something.
struct Example: Sendable {
    let title: String
    let isBlocked: Bool
    let subject: String
    let contentType: String
    let body: String

    static let shownHeaders = ["Subject", "X-Virus-Scanner", "X-EsetsResult", "X-Esets-Antispam"]

    static let all = [
        plain("Shall we have lunch on Friday?"),
        Example(
            title: "The EICAR test file in a zip, in a nested part", isBlocked: true, subject: "The document",
            contentType: "multipart/mixed; boundary=\"outer\"", body: nestedEICAR),
        Example(
            title: "GTUBE, the test text for spam filters", isBlocked: true, subject: "An offer",
            contentType: "text/plain", body: gtube + "\r\n"),
    ]

    static func plain(_ text: String) -> Example {
        Example(
            title: "A clean message", isBlocked: false, subject: "Lunch", contentType: "text/plain",
            body: text + "\r\n")
    }

    func message(from sender: String) -> [UInt8] {
        Array(
            """
            Date: Sat, 21 Nov 2026 12:00:00 +0000\r
            From: Alice <\(sender)>\r
            To: Bob <bob@example.org>\r
            Subject: \(subject)\r
            Message-ID: <\(UInt64.random(in: 0 ... .max))@example.org>\r
            MIME-Version: 1.0\r
            Content-Type: \(contentType)\r
            \r
            \(body)
            """.utf8)
    }

    /// The value of the first header field of that name, unfolded.
    static func header(_ name: String, in message: [UInt8]) -> String? {
        var value: String?
        for line in String(decoding: message, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
        {
            if line.isEmpty { break }
            if let found = value {
                guard line.first == " " || line.first == "\t" else { break }
                value = found + " " + line.drop { $0 == " " || $0 == "\t" }
            } else if line.lowercased().hasPrefix(name.lowercased() + ":") {
                value = String(line.dropFirst(name.count + 1).drop { $0 == " " })
            }
        }
        return value
    }

    // The test texts stand in pieces, so that scanners leave this source alone.
    private static let gtube = "XJS*C4JDBQADN1.NSBN3*2IDNEN*" + "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
    private static let eicar =
        #"X5O!P%@AP[4\PZX54(P^)7CC)7}$"# + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

    private static var nestedEICAR: String {
        """
        --outer\r
        Content-Type: text/plain\r
        \r
        Please see the attached document.\r
        --outer\r
        Content-Type: multipart/related; boundary="inner"\r
        \r
        --inner\r
        Content-Type: application/zip; name="document.zip"\r
        Content-Transfer-Encoding: base64\r
        Content-Disposition: attachment; filename="document.zip"\r
        \r
        \(base64(zip("document.com", Array(eicar.utf8))))\r
        --inner--\r
        --outer--\r

        """
    }

    /// A zip archive with one stored file (PKWARE APPNOTE 4.3).
    private static func zip(_ name: String, _ content: [UInt8]) -> [UInt8] {
        func little(_ value: UInt32, _ size: Int) -> [UInt8] {
            (0..<size).map { UInt8(value >> (8 * UInt32($0)) & 0xff) }
        }
        let sizes = little(crc32(content), 4) + little(UInt32(content.count), 4) + little(UInt32(content.count), 4)
        let common = little(20, 2) + little(0, 2) + little(0, 2) + little(0, 2) + little(0x21, 2) + sizes
        let nameLength = little(UInt32(name.utf8.count), 2)
        let local = [0x50, 0x4b, 3, 4] + common + nameLength + little(0, 2) + Array(name.utf8) + content
        let central =
            [0x50, 0x4b, 1, 2] + little(20, 2) + common + nameLength + little(0, 12) + little(0, 4) + Array(name.utf8)
        let end =
            [0x50, 0x4b, 5, 6] + little(0, 4) + little(1, 2) + little(1, 2) + little(UInt32(central.count), 4)
            + little(UInt32(local.count), 4) + little(0, 2)
        return local + central + end
    }

    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
        var crc: UInt32 = 0xffff_ffff
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
        }
        return ~crc
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var out: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var value: UInt32 = 0
            for index in 0..<3 { value = value << 8 | (index < group.count ? UInt32(group[start + index]) : 0) }
            for index in 0..<4 {
                out.append(index <= group.count ? alphabet[Int(value >> (18 - 6 * UInt32(index)) & 63)] : 0x3d)
            }
            if out.count % 78 == 76 { out += [0x0d, 0x0a] }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
