import BytesE
import CModuleABI

/// Unpacks one small sample of each format: the first failure as a sentence, nil when all is well.
package func archivesSelfTest() -> StaticString? {
    if !gives(ByteView(mailSample).array) { return "the attachment of a message was not unpacked" }
    if !gives(ByteView(uuSample).array) { return "a uuencoded file was not unpacked" }
    if !gives(zipSample) { return "a ZIP archive was not unpacked" }
    if !gives(gzipSample) { return "a GZIP file was not unpacked" }
    if !gives(tarSample()) { return "a TAR archive was not unpacked" }
    return nil
}

/// Whether the last child of the sample is the text that all samples hold.
private func gives(_ sample: [UInt8]) -> Bool {
    let host = TrialHost(memory: 256 << 10)
    let status = sample.withUnsafeBufferPointer { host.unpack(ByteView($0)) }
    guard status == EM_END, let child = host.children.last else { return false }
    return child.data.withUnsafeBufferPointer { ByteView($0).equals(ByteView("hello hello hello hello")) }
}

private let mailSample: StaticString = """
    From: a@example.com
    Subject: test
    Content-Type: multipart/mixed; boundary=x

    --x

    text
    --x
    Content-Type: text/plain; name=a.txt
    Content-Transfer-Encoding: base64

    aGVsbG8gaGVsbG8gaGVsbG8gaGVsbG8=
    --x--

    """

private let uuSample: StaticString = """
    a file:
    begin 644 a.txt
    7:&5L;&\\@:&5L;&\\@:&5L;&\\@:&5L;&\\
    `
    end

    """

private let zipSample: [UInt8] = [
    0x50, 0x4B, 0x03, 0x04, 0x14, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x75, 0x5D, 0xE3, 0x51,
    0x3D, 0x8D, 0x0A, 0x00, 0x00, 0x00, 0x17, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x61, 0x2E,
    0x74, 0x78, 0x74, 0xCB, 0x48, 0xCD, 0xC9, 0xC9, 0x57, 0xC8, 0x40, 0x27, 0x01, 0x50, 0x4B, 0x01,
    0x02, 0x14, 0x03, 0x14, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x75, 0x5D, 0xE3, 0x51, 0x3D,
    0x8D, 0x0A, 0x00, 0x00, 0x00, 0x17, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x01, 0x00, 0x00, 0x00, 0x00, 0x61, 0x2E, 0x74, 0x78, 0x74,
    0x50, 0x4B, 0x05, 0x06, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01, 0x00, 0x33, 0x00, 0x00, 0x00,
    0x2D, 0x00, 0x00, 0x00, 0x00, 0x00,
]

private let gzipSample: [UInt8] = [
    0x1F, 0x8B, 0x08, 0x08, 0x00, 0x00, 0x00, 0x00, 0x02, 0xFF, 0x61, 0x2E, 0x74, 0x78, 0x74, 0x00,
    0xCB, 0x48, 0xCD, 0xC9, 0xC9, 0x57, 0xC8, 0x40, 0x27, 0x01, 0xE3, 0x51, 0x3D, 0x8D, 0x17, 0x00,
    0x00, 0x00,
]

/// A header block with its checksum, and one block of data.
private func tarSample() -> [UInt8] {
    let text = ByteView("hello hello hello hello")
    var bytes = [UInt8](repeating: 0, count: 1024)
    func put(_ field: ByteView, at offset: Int) {
        for index in 0..<field.count { bytes[offset + index] = field[index] }
    }
    put(ByteView("a.txt"), at: 0)
    put(ByteView("00000000027"), at: 124)
    put(ByteView("        "), at: 148)
    put(ByteView("0ustar"), at: 156)
    put(text, at: 512)
    var sum = 0
    for index in 0..<512 { sum += Int(bytes[index]) }
    for digit in 0..<6 { bytes[148 + 5 - digit] = 0x30 + UInt8(sum >> (3 * digit) & 7) }
    bytes[154] = 0
    return bytes
}
